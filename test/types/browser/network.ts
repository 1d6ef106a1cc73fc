/** A simulated network in a page: no types of Node's are there, and hosts have no node:dgram. */
import { checkScenario, Network, runScenario } from 'tungram/network'

const host = new Network({ seed: 1 }).host('a')
// @ts-expect-error no node:dgram in a browser
host.dgram.createSocket('udp4')
export const hopLimit: number = host.ip.hopLimit
export const result = runScenario(checkScenario({ hosts: { a: null } }))
