/** A certificate that a peer made for itself, with what the packages bring. */
import { webcrypto } from 'node:crypto'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** Certificate and private key as PEM; `algorithm` is one of Web Crypto that signs. */
export async function selfSigned(
  algorithm: { name: string; hash: string } & (webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams),
): Promise<{ certificate: string; key: string }> {
  const x509 = require('@peculiar/x509')
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  x509.cryptoProvider.set(webcrypto)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=peer',
    notBefore: new Date(0),
    notAfter: new Date(4e12),
    signingAlgorithm: algorithm,
    keys,
  })
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { certificate: certificate.toString('pem'), key: x509.PemConverter.encode(key, 'private key') }
}
