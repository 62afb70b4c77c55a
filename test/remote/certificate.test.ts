import { execFileSync } from 'node:child_process'
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { systemRandom } from '../../src/base/random'
import { createTlsIdentity, fingerprintOf } from '../../src/remote/certificate'

const identity = createTlsIdentity(systemRandom)
const certificate = new X509Certificate(identity.certificate)

test('the certificate is signed by its own key and no other', () => {
  expect(certificate.verify(certificate.publicKey)).toBe(true)
  const other = new X509Certificate(createTlsIdentity(systemRandom).certificate)
  expect(certificate.verify(other.publicKey)).toBe(false)
  expect(certificate.checkPrivateKey(createPrivateKey(identity.key))).toBe(true)
})

test('it never expires and is no authority', () => {
  expect(new Date(certificate.validFrom).getTime()).toBeLessThan(Date.now())
  expect(certificate.validTo).toBe('Dec 31 23:59:59 9999 GMT')
  expect(certificate.ca).toBe(false)
  expect(certificate.subject).toBe('CN=flight-log publisher')
})

test('openssl reads it as version 3, P-256, SHA-256', () => {
  const text = execFileSync('openssl', ['x509', '-noout', '-text'], {
    input: identity.certificate,
    encoding: 'utf8',
  })
  expect(text).toContain('Version: 3')
  expect(text).toContain('ASN1 OID: prime256v1')
  expect(text).toContain('Signature Algorithm: ecdsa-with-SHA256')
  expect(text).toContain('CA:FALSE')
})

test('serial numbers are positive and differ, whatever the random bytes', () => {
  for (const byte of [0x00, 0x80, 0xff]) {
    const random = { bytes: (n: number) => new Uint8Array(n).fill(byte), fraction: () => 0 }
    const { serialNumber } = new X509Certificate(createTlsIdentity(random).certificate)
    expect(serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
  }
})

test('the fingerprint is the SHA-256 of the public key', () => {
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' })
  expect(fingerprintOf(identity.certificate)).toBe(createHash('sha256').update(spki).digest('base64url'))
})

test('a long name takes the long form of a length', () => {
  const long = new X509Certificate(createTlsIdentity(systemRandom, 'x'.repeat(60)).certificate)
  expect(long.subject).toBe(`CN=${'x'.repeat(60)}`)
})
