import { LEVEL, SPLAT } from 'triple-beam'
import { type EventExtras, INFO_ONLY } from '../../codec/encoder'
import { currentContext } from '../../event/context'
import { facilityName } from '../../event/facility'
import type { Capture } from '../../recorder/capture'
import { errorOf, fieldsBeside } from './error'
import type { Note } from './feed'

/** What a logger hands to its transports: the fields, `level` and `message` among them. */
export interface Info {
  level?: unknown
  message?: unknown
  [LEVEL]?: unknown
  [SPLAT]?: unknown
  [key: string]: unknown
}

/** Where the facility of an info is found: the name of a key, or a function. */
export type FacilityOption = string | ((info: Readonly<Record<string, unknown>>) => unknown)

export function isInfo(value: unknown): value is Info {
  return typeof value === 'object' && value !== null
}

/** The level as it was logged; `info.level` may be padded and coloured for people. */
export function levelOf(info: Info): unknown {
  return info[LEVEL] ?? info.level
}

/**
 * Records an info as an event. The message is what the logger's format left, so `%s` is filled in where `format.splat()`
 * ran; where nothing did, the arguments are the field `args`. All enumerable properties are fields, by value.
 * @param marks fields to add
 */
export function recordInfo(
  events: Capture,
  info: Info,
  severity: number,
  facility: string,
  note: Note | undefined,
  marks?: Readonly<Record<string, unknown>>,
): void {
  if (isOrdinary(info, note)) {
    events.record(severity, info.message, facility, info, extrasOf(undefined, marks), note)
    return
  }
  const error = errorOf(info, note?.error)
  const args = unusedArguments(info, note, error)
  const bound = args === undefined ? marks : { ...marks, args }
  const message = typeof info.message === 'string' ? withoutColours(info.message, note) : info.message
  const fields = error === undefined ? info : fieldsBeside(info, error)
  events.record(severity, message, facility, fields, extrasOf(error, bound), note)
}

/** A text and fields, which is what nearly all are, and nothing to look into further: some 60 ns less. */
function isOrdinary(info: Info, note: Note | undefined): boolean {
  const { message } = info
  if (typeof message !== 'string' || note === undefined || message !== note.message) return false
  if (note.error !== undefined || info['stack'] !== undefined) return false
  const splat = info[SPLAT]
  if (splat === undefined) return true
  return Array.isArray(splat) && splat.length === 1 && isInfo(splat[0]) && isPlain(message)
}

/** Whether a message has nothing that arguments could be put into. The same few are asked for again and again. */
function isPlain(message: string): boolean {
  if (message === plainMessage) return true
  if (message.includes('%')) return false
  // A long one would be kept alive by this.
  if (message.length <= PLAIN_CHARS) plainMessage = message
  return true
}

const PLAIN_CHARS = 256
let plainMessage = ''

/** The facility of an info; empty where it has none. */
export function facilityOf(info: Info, option: FacilityOption | undefined): string {
  if (option === undefined) return facilityName(info['facility'] ?? info['label'])
  if (typeof option === 'string') return facilityName(info[option])
  try {
    return facilityName(option(info))
  } catch {
    return ''
  }
}

function extrasOf(
  error: object | undefined,
  bound: Readonly<Record<string, unknown>> | undefined,
): EventExtras {
  const context = currentContext()
  if ((context ?? error ?? bound) === undefined) return INFO_ONLY
  const { traceId, spanId, parent, fields } = context ?? {}
  return {
    info: true,
    error,
    traceId,
    spanId,
    parent,
    bound: bound === undefined ? fields : { ...fields, ...bound },
  }
}

const TOKEN = /%[scdjifoO%]/

/** Arguments that neither the message nor the fields hold. */
function unusedArguments(
  info: Info,
  note: Note | undefined,
  error: object | undefined,
): readonly unknown[] | undefined {
  const splat = info[SPLAT]
  if (!Array.isArray(splat) || splat.length === 0) return undefined
  const hadTokens = hasToken(note === undefined ? info.message : note.message)
  const unused = hadTokens ? (hasToken(info.message) ? splat : NONE) : withoutMerged(splat)
  if (unused.length === 0) return undefined
  const args = unused.filter((arg) => arg !== error)
  return args.length === 0 ? undefined : args
}

/** Without tokens in the message, a first argument that is an object has been merged into the info. */
function withoutMerged(splat: readonly unknown[]): readonly unknown[] {
  if (!isInfo(splat[0])) return splat
  return splat.length === 1 ? NONE : splat.slice(1)
}

const NONE: readonly unknown[] = []

function hasToken(text: unknown): boolean {
  return typeof text === 'string' && text.includes('%') && TOKEN.test(text)
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what colours are made of
const COLOUR = /\u001b\[[\d;]*m/g

/** Colours that a format added are for a terminal; those that were logged stay. */
function withoutColours(message: string, note: Note | undefined): string {
  if (note === undefined || message === note.message || !message.includes('\u001b')) return message
  return message.replace(COLOUR, '')
}
