import type { ErrorRecord, LogEvent, Plain, PlainObject } from '../event/event'
import { bandName } from '../event/severity'
import { isFrame, isOwnFrame } from '../event/stack'

/**
 * 16 hexadecimal digits that are the same for events of the same trouble, in any process and on any machine:
 * the beginning of the SHA-256 of facility, severity band, message, error name, error code and the first
 * stack frame of the program's own code, one a line.
 *
 * The message goes in without what differs from one occurrence to the next: numbers, hexadecimal ids, UUIDs
 * and quoted parts. A template such as `order {orderId} failed` is taken as it is. The frame goes in without
 * line and column, so that the same trouble keeps its fingerprint when lines above it change.
 */
export function fingerprintOf(event: LogEvent): string {
  const error = event.error ?? taggedError(event.fields)
  return fingerprintOfText(
    event.facility,
    bandName(event.severity),
    withoutVariables(event.message),
    error?.name ?? '',
    typeof error?.code === 'string' ? error.code : '',
    ownFrame(error?.stack ?? ''),
  )
}

/** A fingerprint made of texts, for qualifiers whose incidents are not about one event. */
export function fingerprintOfText(...parts: readonly string[]): string {
  const { createHash } = require('node:crypto') as typeof import('node:crypto')
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16)
}

/** As much of a message as tells what it is about. */
const MESSAGE_CHARS = 500
const STACK_CHARS = 16 * 1024

/** In this order: what is quoted is one part, a UUID is not five numbers. */
const VARIABLE = new RegExp(
  [
    /"(?:[^"\\\n]|\\.){0,200}"/,
    /`[^`\n]{0,200}`/,
    // Not the apostrophe of "can't".
    /(?<!\w)'[^'\n]{0,200}'(?!\w)/,
    /\b[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}\b/,
    /\b0x[\da-f]+/,
    /\b(?=[a-f]*\d)[\da-f]{6,}\b/,
    // Ids of other alphabets.
    /\b(?=[a-z_]*\d)\w{16,}\b/,
    /[-+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?/,
  ]
    .map((part) => part.source)
    .join('|'),
  'gi',
)

function withoutVariables(message: string): string {
  return message.slice(0, MESSAGE_CHARS).replace(VARIABLE, '#').replace(/\s+/g, ' ').trim()
}

/** An error that was logged as a field, under its usual names first. */
function taggedError(fields: PlainObject): Partial<ErrorRecord> | undefined {
  for (const value of [fields['err'], fields['error'], fields['cause'], ...Object.values(fields)]) {
    if (isTaggedError(value))
      return { ...textPart(value, 'name'), ...textPart(value, 'code'), ...textPart(value, 'stack') }
  }
  return undefined
}

function isTaggedError(value: Plain | undefined): value is PlainObject {
  return typeof value === 'object' && value !== null && '$' in value && value['$'] === 'error'
}

function textPart(
  error: PlainObject,
  key: 'name' | 'code' | 'stack',
): { readonly [key in 'name' | 'code' | 'stack']?: string } {
  const text = error[key]
  return typeof text === 'string' ? { [key]: text } : {}
}

/** Function and the last two parts of the path: where the program is installed does not matter. */
function ownFrame(stack: string): string {
  const lines = stack.slice(0, STACK_CHARS).split('\n')
  const line = lines.find(isOwnFrame) ?? lines.find(isFrame) ?? ''
  const frame = line.trim().replace(/^at (?:async )?/, '')
  const [, name = '', place = frame] = /^(.*?) \((.*)\)$/.exec(frame) ?? []
  const path = place.replace(/(?::\d+)+$/, '')
  return `${name}@${path.split(/[\\/]/).slice(-2).join('/')}`
}
