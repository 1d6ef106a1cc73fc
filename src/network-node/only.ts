/** `network.only`: nothing of a program under test leaves for the machine's own network. */
import { Network } from '../network/network.ts'
import { addGuard } from '../socket-api/hosts/guard.ts'
import { installFor, uninstallFor } from '../socket-api/hosts/install.ts'

declare module '../network/network.ts' {
  interface Network {
    /**
     * Makes this the only network of the process, in Node: until it closes, code that runs on no
     * host (see `Stack.run`) cannot open a UDP socket of the kernel, nor look up a name, and no
     * code can connect by TCP to anything but this machine's loopback. The error, code
     * `ERR_OUTSIDE_NETWORK`, names the hosts to run the program on. What was open before stays
     * open.
     * @returns what ends it
     * @throws {Error} when the network is closed
     */
    only(): () => void
  }
}

Object.defineProperty(Network.prototype, 'only', {
  value: function only(this: Network): () => void {
    if (this.closed) throw new Error('The network is closed: call only() before.')
    const hosts = () => {
      const all = this.nodes.filter(({ kind }) => kind === 'host' || kind === 'router')
      const plain = all.filter(({ kind }) => kind === 'host')
      return (plain.length > 0 ? plain : all).map(({ name }) => name)
    }
    const user = {}
    installFor(user)
    const remove = addGuard(hosts)
    const end = () => {
      remove()
      uninstallFor(user)
    }
    this.atClose(end)
    return end
  },
  writable: true,
  configurable: true,
  enumerable: false,
})
