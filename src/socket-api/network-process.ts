/**
 * Emacs's network processes for datagrams: `make-network-process` and its family, in camelCase,
 * over a tungram stack.
 *
 * What they do follows the Emacs Lisp manual (Network Processes, Datagrams, Network Options) and
 * Emacs on Linux; `docs/network-process.md` lists every function and the places where JavaScript
 * makes a difference.
 *
 * @module tungram/network-process
 */
export { processContact, processDatagramAddress, setProcessDatagramAddress } from './emacs/contact.ts'
export {
  type InterfaceAddress,
  type InterfaceInfo,
  networkInterfaceInfo,
  networkInterfaceList,
} from './emacs/interfaces.ts'
export { makeNetworkProcess, type NetworkProcessOptions } from './emacs/make.ts'
export { type AddressLike, formatNetworkAddress, type NetworkAddress } from './emacs/network-address.ts'
export { type NetworkOptions, setNetworkProcessOption } from './emacs/options.ts'
export {
  continueProcess,
  deleteProcess,
  type Filter,
  NetworkProcess,
  type ProcessStatus,
  processStatus,
  type Sentinel,
  stopProcess,
} from './emacs/process.ts'
export { processSend } from './emacs/send.ts'
