declare module 'virtual:drop-reasons' {
  /** By the reason's name: why, in a sentence. */
  const reasons: Readonly<Record<string, string>>
  export default reasons
}
