import { crc32 } from 'node:zlib'
import { FlogError } from '../../base/errors'
import { decodeValue } from '../../codec/decode'
import { encodeValue } from '../../codec/value'
import type { PlainObject } from '../../event/event'
import type { RingHandle } from '../../ring/layout'
import type { HeaderOrigin } from '../header'
import { parseIncidentId } from '../name'
import { AREA_HEAD_BYTES, HEAD_BYTES, VALUE_HEAD_BYTES } from './layout'

/** Format of the file that this version writes, and the highest major version that it reads. */
const MAJOR = 1
const MINOR = 0
const MAGIC_BYTES = 96
const START = 'FLOG black box '

/** What a black box says of itself once, at its beginning. */
export interface BlackBoxHeader {
  /** Id that the incident will have which is made of it; reserved, so that making it twice makes one. */
  readonly id: string
  /** Microseconds since the epoch. */
  readonly startedAt: number
  readonly origin: HeaderOrigin
}

/** Which ring an area holds. */
export type AreaLabel = Pick<RingHandle, 'severity' | 'facility' | 'thread'>

/** The first bytes of a black box. Arguments are left out where there is no room for them. */
export function encodeHead(header: BlackBoxHeader): Uint8Array {
  const { argv: _, ...shorter } = header.origin
  const bytes = new Uint8Array(HEAD_BYTES)
  const line = `${START}${MAJOR}.${MINOR} read, once its process is dead: npx -p flight-log flog recover DIRECTORY`
  bytes.set(new TextEncoder().encode(`${line.padEnd(MAGIC_BYTES - 1)}\n`))
  const room = bytes.subarray(MAGIC_BYTES)
  const whole =
    putValue(room, { ...header, origin: header.origin }) || putValue(room, { ...header, origin: shorter })
  if (!whole) {
    const message = `the header of a black box takes at most ${room.length} bytes; shorten \`versions\` or \`service\``
    throw new FlogError('FLOG_OPTION_INVALID', message)
  }
  return bytes
}

/**
 * @param bytes the first 64 KiB of a file, or all of a shorter one
 * @throws FlogError FLOG_FILE_TRUNCATED, FLOG_FILE_CORRUPT, FLOG_FILE_NEWER, FLOG_FILE_NOT_INCIDENT
 */
export function decodeHead(bytes: Uint8Array, path: string): BlackBoxHeader {
  const line = Buffer.from(bytes.subarray(0, MAGIC_BYTES)).toString('latin1')
  const version = /^FLOG black box (\d{1,5})\.(\d{1,5}) /.exec(line)
  if (version === null) throw notABlackBox(path, line, bytes.length)
  if (Number(version[1]) > MAJOR) {
    const message = `${path} has format ${version[1]}.${version[2]} of black boxes, this version knows ${MAJOR}.${MINOR}; use a newer flog`
    throw new FlogError('FLOG_FILE_NEWER', message, { details: { path } })
  }
  const value = takeValue(bytes.subarray(MAGIC_BYTES))
  const header = value && asHeader(value)
  if (header !== undefined) return header
  if (bytes.length < HEAD_BYTES) throw truncated(path)
  const message = `the header of the black box ${path} is damaged, nobody can tell whose it is`
  throw new FlogError('FLOG_FILE_CORRUPT', message, { details: { path } })
}

export function encodeArea(label: AreaLabel): Uint8Array {
  const { severity, facility, thread } = label
  const bytes = new Uint8Array(AREA_HEAD_BYTES)
  // A facility is an option of the application; a name of kilobytes is cut rather than refused.
  putValue(bytes, { severity, facility: facility.slice(0, AREA_HEAD_BYTES / 8), thread })
  return bytes
}

/** Undefined where the description is damaged. */
export function decodeArea(bytes: Uint8Array): AreaLabel | undefined {
  const { severity, facility, thread } = takeValue(bytes) ?? {}
  if (typeof severity !== 'string' || typeof facility !== 'string' || typeof thread !== 'number')
    return undefined
  return { severity, facility, thread }
}

/** @returns false where there is not room enough */
function putValue(target: Uint8Array, value: object): boolean {
  const payload = encodeValue(value)
  if (payload.length > target.length - VALUE_HEAD_BYTES) return false
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength)
  view.setUint32(4, payload.length, true)
  target.set(payload, VALUE_HEAD_BYTES)
  view.setUint32(0, crc32(target.subarray(4, VALUE_HEAD_BYTES + payload.length)), true)
  return true
}

function takeValue(bytes: Uint8Array): PlainObject | undefined {
  if (bytes.length < VALUE_HEAD_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(4, true)
  if (length > bytes.length - VALUE_HEAD_BYTES) return undefined
  if (crc32(bytes.subarray(4, VALUE_HEAD_BYTES + length)) !== view.getUint32(0, true)) return undefined
  try {
    const value = decodeValue(bytes.subarray(VALUE_HEAD_BYTES, VALUE_HEAD_BYTES + length))
    return isMap(value) ? value : undefined
  } catch (error) {
    if (FlogError.is(error, 'FLOG_VALUE_MALFORMED')) return undefined
    throw error
  }
}

/** Only what recovery needs to know before it makes a header of an incident, which is checked as a whole. */
function asHeader({ id, startedAt, origin }: PlainObject): BlackBoxHeader | undefined {
  if (parseIncidentId(id) === undefined || typeof startedAt !== 'number' || !isMap(origin)) return undefined
  const { process } = origin
  if (!isMap(process) || typeof process['pid'] !== 'number') return undefined
  const texts = [process['bootId'], process['pidNamespace'], process['startTime']]
  if (texts.some((text) => typeof text !== 'string')) return undefined
  return { id: id as string, startedAt, origin: origin as unknown as HeaderOrigin }
}

function notABlackBox(path: string, line: string, size: number): FlogError {
  if (size < MAGIC_BYTES && START.startsWith(line.slice(0, START.length))) return truncated(path)
  const message = `${path} is named like a black box and is none`
  return new FlogError('FLOG_FILE_NOT_INCIDENT', message, { details: { path } })
}

function truncated(path: string): FlogError {
  const message = `the black box ${path} ends before the end of its header`
  return new FlogError('FLOG_FILE_TRUNCATED', message, { details: { path } })
}

function isMap(value: unknown): value is PlainObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  )
}
