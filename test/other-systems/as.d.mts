export function become(system: string): void
