/** The builders of `packet.ts`, under the name that tests import. */
export * from './packet.ts'
