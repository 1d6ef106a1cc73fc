export function newestSection(changelog: string): { version: string; notes: string }
