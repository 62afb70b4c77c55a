import { createPrivateKey, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { FlogError } from '../base/errors'
import type { Random } from '../base/random'
import { createTlsIdentity, fingerprintOf, type TlsIdentity } from './certificate'
import { decodeSecret, encodeSecret, SECRET_BYTES } from './logport'
import { createPrivate, readPrivate } from './private-file'
import type { Role } from './protocol'

/** What makes the logports of whoever listens stay the same when it starts again. */
export interface Keys {
  readonly secrets: Readonly<Record<Role, Uint8Array>>
  readonly tls: TlsIdentity & { readonly fingerprint: string }
}

export const SECRETS_FILE = 'logport-secrets.json'
export const TLS_FILE = 'logport-tls.pem'

/**
 * The keys in a directory, made now where they are missing. Several processes may share them.
 * @throws FlogError FLOG_KEYS_UNUSABLE
 */
export async function loadKeys(directory: string, random: Random): Promise<Keys> {
  const secrets = await loadOrCreate(
    join(directory, SECRETS_FILE),
    random,
    () => newSecrets(random),
    parseSecrets,
  )
  const tls = await loadOrCreate(join(directory, TLS_FILE), random, () => newTls(random), parseTls)
  return { secrets, tls }
}

async function loadOrCreate<T>(
  path: string,
  random: Random,
  create: () => string,
  parse: (text: string) => T,
): Promise<T> {
  let text = await readPrivate(path)
  if (text === undefined) {
    await createPrivate(path, create(), random)
    text = (await readPrivate(path)) ?? ''
  }
  try {
    return parse(text)
  } catch {
    // What was thrown may quote what it read, and that is secret
    const message = `${path} does not hold what it should: delete it to make a new one`
    throw new FlogError('FLOG_KEYS_UNUSABLE', message, { details: { path } })
  }
}

function newSecrets(random: Random): string {
  const secret = (): string => encodeSecret(random.bytes(SECRET_BYTES))
  return `${JSON.stringify({ read: secret(), control: secret(), publish: secret() }, undefined, 2)}\n`
}

function parseSecrets(text: string): Keys['secrets'] {
  const value: unknown = JSON.parse(text)
  const parts = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  const { read, control, publish } = parts
  return { read: decodeSecret(read), control: decodeSecret(control), publish: decodeSecret(publish) }
}

function newTls(random: Random): string {
  const { key, certificate } = createTlsIdentity(random)
  return key + certificate
}

function parseTls(text: string): Keys['tls'] {
  const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n?/.exec(text)?.[0] ?? ''
  const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/.exec(text)?.[0] ?? ''
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) {
    throw new Error('the certificate is not of this key')
  }
  return { key, certificate, fingerprint: fingerprintOf(certificate) }
}
