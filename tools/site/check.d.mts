/** One line for each fault of a built site. */
export function faults(folder: string): string[]
