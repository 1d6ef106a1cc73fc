// Scenarios for the measurements of the page, as texts (JSON is YAML).

/** Routers in a row, hosts evenly over them; the first half of the hosts sends to the second. */
function chain({ nodes, routers, flows, rate, count, delay, size = 400 }) {
  const hosts = nodes - routers
  const names = (letter, count) => Array.from({ length: count }, (_, index) => `${letter}${index}`)
  const links = []
  for (let index = 1; index < routers; index++) links.push({ between: [`r${index - 1}`, `r${index}`], delay })
  for (let index = 0; index < hosts; index++)
    links.push({ between: [`h${index}`, `r${Math.floor((index * routers) / hosts)}`], delay })
  return JSON.stringify({
    hosts: Object.fromEntries(names('h', hosts).map((name) => [name, null])),
    routers: Object.fromEntries(names('r', routers).map((name) => [name, null])),
    links,
    flows: Array.from({ length: flows }, (_, index) => ({
      name: `f${index}`,
      from: `h${index}`,
      to: `h${hosts - 1 - index}`,
      rate,
      count,
      size,
    })),
  })
}

/** 50 nodes; four flows over eleven cables and one over nine: 530 packets are on the wires. */
export const BUSY = chain({ nodes: 50, routers: 10, flows: 5, rate: 1000, count: 1000, delay: '10ms' })
/** 1000 nodes, and enough traffic to see that all of it runs. */
export const LARGE = chain({ nodes: 1000, routers: 50, flows: 20, rate: 100, count: 20, delay: '1ms' })
/** 80 000 datagrams with thirteen events each. */
export const LONG = chain({ nodes: 6, routers: 4, flows: 1, rate: 20_000, count: 80_000, delay: '1ms', size: 100 })
