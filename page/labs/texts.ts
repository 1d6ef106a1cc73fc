/** The scenarios of the labs: together, for files so small are packed badly one by one. */
export const TEXTS = import.meta.glob<string>(['./*.yaml', '../../examples/scenarios/*.yaml'], {
  query: '?raw',
  import: 'default',
  eager: true,
})
