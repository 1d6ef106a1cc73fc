// A file goes to a TFTP server and comes back, in windows of blocks.
const { mkdtempSync, rmSync, statSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const tftp = require('tftp')

const root = mkdtempSync(join(tmpdir(), 'tftp-'))
const sent = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * i) >> 3))
const server = tftp.createServer({ host: '10.77.0.1', port: 6969, root })
server.on('listening', () => {
  const client = tftp.createClient({ host: '10.77.0.1', port: 6969 })
  const put = client.createPutStream('remote', { size: sent.length })
  put.end(sent)
  put.on('finish', function written() {
    // The server acknowledges the last block before the file is whole.
    if ((statSync(join(root, 'remote'), { throwIfNoEntry: false })?.size ?? 0) < sent.length) {
      setTimeout(written, 10)
      return
    }
    const chunks = []
    const get = client.createGetStream('remote')
    get.on('data', (chunk) => chunks.push(chunk))
    get.on('end', () => {
      console.log(Buffer.concat(chunks).length, Buffer.concat(chunks).equals(sent))
      server.close()
      rmSync(root, { recursive: true })
    })
  })
})
server.listen()
