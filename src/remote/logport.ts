import { readFile, stat } from 'node:fs/promises'
import { isIP, isIPv6 } from 'node:net'
import { join } from 'node:path'
import { FlogError, messageOf } from '../base/errors'
import { ROLES, type Role } from './protocol'

/**
 * A logport names and unlocks one publisher:
 *
 * ```
 * flog://HOST:PORT/#ROLE.SECRET                 without TLS: on loopback only
 * flogs://HOST:PORT/#ROLE.SECRET.FINGERPRINT    with TLS
 * ```
 * ROLE is `read`, `control` or `publish`; SECRET 32 bytes and FINGERPRINT the SHA-256 of the publisher's
 * public key, both base64url. What stands behind `#` is never sent to anybody. Whoever has the text has the
 * rights of its role.
 */
export interface Logport {
  readonly host: string
  readonly port: number
  readonly role: Role
  readonly secret: Uint8Array
  /** SHA-256 of the public key, base64url. With it TLS is used, without it never. */
  readonly fingerprint?: string
}

export const SECRET_BYTES = 32
/** Names the logport where commands are not given one. */
export const LOGPORT_VARIABLE = 'FLOG_LOGPORT'
/** Files that a publisher writes into the directory of its keys. */
export const LOGPORT_FILE = 'logport'
export const CONTROL_LOGPORT_FILE = 'logport.control'

/** Meant as a logport, even if it is none: it may hold a secret, so it is never looked for, or shown, as a path. */
const MEANT_AS_LOGPORT = /^\s*flogs?:|#(?:read|control|publish)\./i
const SCHEME = /^flogs?:\/\//
const URL_PATTERN =
  /^(flogs?):\/\/(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})\/?#([^.]*)\.([^.]*)(?:\.(.*))?$/
const KEY_PATTERN = /^[A-Za-z0-9_-]{43}$/
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/i
const MAX_FILE_BYTES = 4096

/**
 * @throws FlogError FLOG_LOGPORT_INVALID; its message never shows the secret
 */
export function parseLogport(text: string): Logport {
  const [, scheme, host = '', port, role, secret, fingerprint] = URL_PATTERN.exec(text.trim()) ?? []
  if (scheme === undefined || (host.startsWith('[') && !isIPv6(host.slice(1, -1)))) {
    throw invalid(whatIsWrong(text.trim()))
  }
  const known = ROLES.find((one) => one === role)
  if (known === undefined) throw invalid(`its role has to be one of ${ROLES.join(', ')}`)
  if (Number(port) < 1 || Number(port) > 65_535) throw invalid('its port has to be a number from 1 to 65535')
  const common = {
    host: host.replace(/^\[|\]$/g, ''),
    port: Number(port),
    role: known,
    secret: decodeSecret(secret),
  }
  return scheme === 'flogs' ? withFingerprint(common, fingerprint) : withoutFingerprint(common, fingerprint)
}

/** @throws FlogError FLOG_LOGPORT_INVALID for one that a publisher cannot dial */
export function checkDialled({ role }: Logport): void {
  if (role === 'publish') return
  throw new FlogError('FLOG_LOGPORT_INVALID', `dialling out takes a publish logport, not one for ${role}`)
}

export function formatLogport(logport: Logport): string {
  const { role, secret, fingerprint } = logport
  const key = `${role}.${encodeSecret(secret)}`
  return `${addressOf(logport)}/#${fingerprint === undefined ? key : `${key}.${fingerprint}`}`
}

/** Where the logport is, without what unlocks it: for messages and process titles. */
export function addressOf(logport: Pick<Logport, 'host' | 'port' | 'fingerprint'>): string {
  const host = logport.host.includes(':') ? `[${logport.host}]` : logport.host
  return `${logport.fingerprint === undefined ? 'flog' : 'flogs'}://${host}:${logport.port}`
}

/** Whether `host` can only be this machine. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host) && (host.toLowerCase() === 'localhost' || isIP(host) !== 0)
}

/** Whether a text is, or was meant to be, a logport rather than a path. */
export function looksLikeLogport(text: string): boolean {
  return MEANT_AS_LOGPORT.test(text)
}

/**
 * The logport that a command was given: itself, the path of a file that holds it, or of a directory with a
 * `logport` file; where nothing was given, from the environment variable FLOG_LOGPORT. A file or the variable
 * is the better way: other users of the machine can see arguments.
 * @throws FlogError FLOG_LOGPORT_INVALID
 */
export async function resolveLogport(
  given: string | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Logport> {
  const text = given ?? environment[LOGPORT_VARIABLE]
  if (text === undefined || text === '') {
    throw invalid(`none was given: name one, a file that holds one, or set ${LOGPORT_VARIABLE}`)
  }
  return parseLogport(looksLikeLogport(text) ? text : await readLogportFile(text))
}

/** @throws Error for anything but 32 bytes in base64url */
export function decodeSecret(text: unknown): Uint8Array {
  if (typeof text !== 'string' || !KEY_PATTERN.test(text)) throw invalid('its secret is not whole')
  return Uint8Array.from(Buffer.from(text, 'base64url'))
}

export function encodeSecret(secret: Uint8Array): string {
  return Buffer.from(secret).toString('base64url')
}

function withFingerprint(logport: Omit<Logport, 'fingerprint'>, fingerprint: string | undefined): Logport {
  if (fingerprint === undefined || !KEY_PATTERN.test(fingerprint)) {
    throw invalid('its fingerprint is not whole, which flogs:// needs')
  }
  return { ...logport, fingerprint }
}

function withoutFingerprint(logport: Omit<Logport, 'fingerprint'>, fingerprint: string | undefined): Logport {
  if (fingerprint !== undefined) throw invalid('a fingerprint belongs to flogs://, not to flog://')
  if (!isLoopback(logport.host))
    throw invalid(`without TLS only this machine can be reached, not ${logport.host}`)
  return logport
}

async function readLogportFile(path: string): Promise<string> {
  try {
    const file = (await stat(path)).isDirectory() ? join(path, LOGPORT_FILE) : path
    if ((await stat(file)).size > MAX_FILE_BYTES) throw new Error('it is too long')
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw invalid(
      `it does not start with flog:// or flogs://, and no such file can be read: ${messageOf(error)}`,
    )
  }
}

function whatIsWrong(text: string): string {
  if (!SCHEME.test(text)) return 'it does not start with flog:// or flogs://'
  if (!text.includes('#')) return "it ends before its '#': was it cut short, or not quoted in a shell?"
  return 'it does not look like flog://HOST:PORT/#ROLE.SECRET'
}

function invalid(why: string): FlogError {
  return new FlogError('FLOG_LOGPORT_INVALID', `not a logport: ${why}`)
}
