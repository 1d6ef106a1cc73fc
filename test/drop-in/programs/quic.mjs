// QUIC of native code (quiche, in @matrixai/quic): a server that sends back what it gets, and a client
// that compares. Arguments: server or client, the server's address, a file with key and certificate;
// without any, both are in this process.
import { createHmac, randomBytes, timingSafeEqual, webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import Logger, { LogLevel } from '@matrixai/logger'
import { events, QUICClient, QUICServer } from '@matrixai/quic'

const [role = 'both', host = '10.77.0.1', keys] = process.argv.slice(2)
const port = 4433
const SIZE = 200_000
const logger = new Logger('quic', LogLevel.WARN, [])

async function serve() {
  const { key, certificate: cert } = keys === undefined ? await selfSigned() : JSON.parse(readFileSync(keys, 'utf8'))
  const secret = Uint8Array.from(randomBytes(32)).buffer
  const hmac = (data) => createHmac('sha256', new Uint8Array(secret)).update(new Uint8Array(data)).digest()
  const server = new QUICServer({
    crypto: {
      key: secret,
      ops: {
        sign: async (_key, data) => Uint8Array.from(hmac(data)).buffer,
        verify: async (_key, data, signature) => timingSafeEqual(hmac(data), new Uint8Array(signature)),
      },
    },
    config: { key, cert, verifyPeer: false },
    logger,
  })
  server.addEventListener(events.EventQUICServerConnection.name, ({ detail: connection }) => {
    connection.addEventListener(events.EventQUICConnectionStream.name, async ({ detail: stream }) => {
      await stream.readable.pipeTo(stream.writable)
    })
  })
  await server.start({ host, port })
}

async function ask() {
  const client = await QUICClient.createQUICClient(
    {
      host,
      port,
      crypto: { ops: { randomBytes: async (data) => void crypto.getRandomValues(new Uint8Array(data)) } },
      config: { verifyPeer: false },
      logger,
    },
    { timer: 20_000 },
  )
  const { readable, writable } = client.connection.newStream()
  const sent = randomBytes(SIZE)
  const writer = writable.getWriter()
  const written = writer.write(sent).then(() => writer.close())
  const chunks = []
  for await (const chunk of readable) chunks.push(chunk)
  await written
  if (!Buffer.concat(chunks).equals(sent)) throw new Error('what came back is not what was sent')
  console.log(`echoed ${SIZE} bytes`)
  process.exit(0)
}

async function selfSigned() {
  const x509 = await import('@peculiar/x509')
  const signingAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify'])
  x509.cryptoProvider.set(webcrypto)
  const made = await x509.X509CertificateGenerator.createSelfSigned({ name: 'CN=peer', signingAlgorithm, keys })
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { certificate: made.toString('pem'), key: x509.PemConverter.encode(key, 'private key') }
}

if (role !== 'client') await serve()
if (role !== 'server') await ask()
