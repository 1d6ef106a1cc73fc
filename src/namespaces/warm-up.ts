/**
 * The first packets of a process take a hundred times as long as later ones, until their code is
 * compiled. In simulated time that does not show; here it would be the latency of the first ping.
 * So packets are sent through a network of no further use before there is time to be kept.
 */
import { runScenario } from '../network/scenario/flow.ts'

/** Datagrams there and back; more gain nothing (Node 20). */
const PACKETS = 400

export async function warmUp(): Promise<void> {
  const faults = { delay: 1, rate: '1Gbit' }
  await runScenario({
    hosts: { a: {}, b: {} },
    routers: { r: {} },
    links: [
      { between: ['a', 'r'], medium: 'ip', ...faults },
      { between: ['r', 'b'], medium: 'ethernet', ...faults },
    ],
    flows: ([4, 6] as const).map((family) => ({
      from: 'a',
      to: 'b',
      mode: 'echo',
      family,
      count: PACKETS,
      rate: 5000,
    })),
  })
  // What is left of it is collected now (the command runs with --expose-gc), and what will stay is
  // moved where it is not looked at with each packet's garbage.
  for (let i = 0; i < 2; i++) (globalThis as { gc?: () => void }).gc?.()
}
