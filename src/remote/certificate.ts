import { createHash, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto'
import type { Random } from '../base/random'

/**
 * A self-signed certificate, written as DER by hand: node signs, but makes no certificates.
 *
 * Clients know the certificate's public key by its SHA-256 and by nothing else, so that name and dates say
 * little: the subject is fixed, and it never expires (RFC 5280, section 4.1.2.5). Layout: RFC 5280, section
 * 4.1; encoding: X.690.
 */
export interface TlsIdentity {
  /** PKCS #8, PEM. */
  readonly key: string
  /** X.509 v3, PEM. */
  readonly certificate: string
}

/** A new key on the curve P-256 and its certificate. */
export function createTlsIdentity(random: Random, name = 'flight-log publisher'): TlsIdentity {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { key, certificate: pem('CERTIFICATE', certificate(privateKey, publicKey, random, name)) }
}

/** SHA-256 of a certificate's public key (its SubjectPublicKeyInfo), base64url: 43 characters. */
export function fingerprintOf(certificate: string | Uint8Array): string {
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(spki).digest('base64url')
}

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  text: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
} as const

const OID = {
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  commonName: [0x55, 0x04, 0x03],
  keyUsage: [0x55, 0x1d, 0x0f],
  basicConstraints: [0x55, 0x1d, 0x13],
} as const

const SERIAL_BYTES = 16

function certificate(privateKey: KeyObject, publicKey: KeyObject, random: Random, name: string): Buffer {
  const algorithm = sequence(oid(OID.ecdsaWithSha256))
  const issuer = sequence(der(TAG.set, sequence(oid(OID.commonName), der(TAG.text, Buffer.from(name)))))
  const toBeSigned = sequence(
    der(TAG.version, der(TAG.integer, [2])),
    der(TAG.integer, positive(random.bytes(SERIAL_BYTES))),
    algorithm,
    issuer,
    validity(),
    issuer,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(TAG.extensions, sequence(usableForSignatures(), notAnAuthority())),
  )
  return sequence(toBeSigned, algorithm, bits(sign('sha256', toBeSigned, privateKey)))
}

function validity(): Buffer {
  const from = der(TAG.utcTime, Buffer.from('000101000000Z'))
  return sequence(from, der(TAG.generalizedTime, Buffer.from('99991231235959Z')))
}

function usableForSignatures(): Buffer {
  const digitalSignature = der(TAG.bits, [7, 0x80])
  return extension(OID.keyUsage, digitalSignature)
}

function notAnAuthority(): Buffer {
  return extension(OID.basicConstraints, sequence())
}

function extension(id: readonly number[], value: Buffer): Buffer {
  const critical = der(TAG.boolean, [0xff])
  return sequence(oid(id), critical, der(TAG.octets, value))
}

/** Tag, length in the short or the long form, content (X.690, section 8.1). */
function der(tag: number, ...parts: readonly (Uint8Array | readonly number[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Uint8Array.from(part)))
  const length = content.length
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Uint8Array.from([tag, ...head]), content])
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(TAG.sequence, ...parts)
}

function oid(id: readonly number[]): Buffer {
  return der(TAG.oid, id)
}

function bits(content: Uint8Array): Buffer {
  return der(TAG.bits, [0], content)
}

/** An integer's bytes with the sign bit clear and a first byte that is not zero. */
function positive(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[0] = ((copy[0] ?? 0) & 0x7f) | 0x40
  return copy
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
