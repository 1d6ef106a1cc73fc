// Counts what a program does with the kernel's UDP sockets, whoever asks for it, and tells at exit. Loaded by --require.
const { UDP } = process.binding('udp_wrap')

let calls = 0
for (const name of ['open', 'bind', 'bind6', 'connect', 'connect6', 'send', 'send6', 'recvStart']) {
  const original = UDP.prototype[name]
  UDP.prototype[name] = function (...args) {
    calls++
    return original.apply(this, args)
  }
}
process.on('exit', () => process.stderr.write(`kernel UDP calls: ${calls}\n`))
