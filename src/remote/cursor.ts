import { FlogError } from '../base/errors'
import { decodeValue } from '../codec/decode'
import type { Plain } from '../event/event'
import { compareIncidentIds } from '../incident/name'
import type { TailPosition } from './source'
import { expectFewValues } from './structure'
import { pack } from './wire'

/**
 * Cursors: text that a subscriber keeps and gives back, and that says nothing to it.
 *
 * Inside is MessagePack in base64url. An incident cursor is the exact set of incidents that were delivered:
 * for each incarnation the ranges of their numbers. The highest number would not do: incidents of one process
 * mostly close in the order of their numbers, but one that was held in memory while the disk was full, or
 * that another thread or the finder of a dead process wrote, closes after a later one. In the usual case a
 * process has one range.
 *
 * A long cursor is not sent again with each incident: the publisher sends what to append to its text, `.` and a cursor
 * of that one incident, and reads what came of it as one.
 */
const INCIDENT_CURSOR = 1
const TAIL_CURSOR = 2
const INCARNATION_BYTES = 8
/** Longest cursor that is looked at, in characters: room for some 30,000 incarnations in one directory. */
export const CURSOR_CHARS = 512 * 1024
/** Values in one cursor: as many incarnations as its characters have room for, with one range each. */
const CURSOR_VALUES = 128 * 1024
const MAX_RINGS = 4096
/** Between a cursor and what was appended to it. */
const SEPARATOR = '.'

interface Identified {
  readonly incarnation: string
  readonly number: number
}

/** Ascending: from, to, from, to, …, both ends included, with a gap between one range and the next. */
type Ranges = number[]

/** The set of incidents that were delivered. */
export class IncidentCursor {
  readonly #delivered = new Map<string, Ranges>()

  /** @throws FlogError FLOG_CURSOR_INVALID */
  static parse(text: string): IncidentCursor {
    if (text.length > CURSOR_CHARS) throw invalid()
    const cursor = new IncidentCursor()
    for (const segment of text.split(SEPARATOR)) {
      for (const entry of decode(segment, INCIDENT_CURSOR)) cursor.#take(entry)
    }
    return cursor
  }

  has({ incarnation, number }: Identified): boolean {
    const ranges = this.#delivered.get(incarnation)
    return ranges !== undefined && covers(ranges, number)
  }

  add({ incarnation, number }: Identified): void {
    const ranges = this.#delivered.get(incarnation)
    if (ranges === undefined) this.#delivered.set(incarnation, [number, number])
    else addNumber(ranges, number)
  }

  /**
   * Forgets incarnations of which nothing is there any more; nothing of theirs can be delivered again. Where there is
   * nothing at all nothing is forgotten: the directory may be one that is not mounted at the moment.
   */
  prune(present: readonly Identified[]): void {
    if (present.length === 0) return
    const incarnations = new Set(present.map((one) => one.incarnation))
    for (const incarnation of this.#delivered.keys()) {
      if (!incarnations.has(incarnation)) this.#delivered.delete(incarnation)
    }
  }

  toString(): string {
    const entries = [...this.#delivered].sort(([a], [b]) => (a < b ? -1 : 1))
    return encode(
      INCIDENT_CURSOR,
      entries.map(([incarnation, ranges]) => [Buffer.from(incarnation, 'hex'), ...ranges]),
    )
  }

  #take(entry: Plain): void {
    if (!Array.isArray(entry)) throw invalid()
    const [incarnation, ...bounds] = entry as readonly Plain[]
    const name = parseIncarnation(incarnation)
    const ranges = parseRanges(bounds)
    const known = this.#delivered.get(name)
    if (known === undefined) this.#delivered.set(name, ranges)
    // Only what was appended comes here: one number each
    else if (ranges.length === 2 && ranges[0] === ranges[1]) addNumber(known, ranges[0] ?? 0)
    else throw invalid()
  }
}

/** What makes a cursor, where it is put behind its text, one that has this incident too. */
export function appendix({ incarnation, number }: Identified): string {
  return `${SEPARATOR}${encode(INCIDENT_CURSOR, [[Buffer.from(incarnation, 'hex'), number, number]])}`
}

/** Order of delivery: by opening, then by id. */
export function compareIncidents(
  a: { readonly openedAt: number; readonly id: string },
  b: { readonly openedAt: number; readonly id: string },
): number {
  return a.openedAt - b.openedAt || compareIncidentIds(a.id, b.id)
}

export function formatPosition({ incarnation, seq, ordinals }: TailPosition): string {
  return encode(TAIL_CURSOR, [Buffer.from(incarnation, 'hex'), seq, ...ordinals])
}

/** @throws FlogError FLOG_CURSOR_INVALID */
export function parsePosition(text: string): TailPosition {
  const [incarnation, seq, ...ordinals] = decode(text, TAIL_CURSOR)
  if (ordinals.length > MAX_RINGS || !ordinals.every(isPosition) || !isPosition(seq)) throw invalid()
  return { incarnation: parseIncarnation(incarnation), seq, ordinals }
}

function covers(ranges: Ranges, number: number): boolean {
  const at = firstEndingFrom(ranges, number)
  return (ranges[at] ?? Number.POSITIVE_INFINITY) <= number
}

function addNumber(ranges: Ranges, number: number): void {
  const at = firstEndingFrom(ranges, number - 1)
  const from = ranges[at]
  const to = ranges[at + 1]
  if (from === undefined || to === undefined || from > number + 1) ranges.splice(at, 0, number, number)
  else if (from > number) ranges[at] = number
  else if (to < number) {
    ranges[at + 1] = number
    if (ranges[at + 2] === number + 1) ranges.splice(at + 1, 2)
  }
}

/** Index of the first range that ends at `number` or behind it. */
function firstEndingFrom(ranges: Ranges, number: number): number {
  let [low, high] = [0, ranges.length / 2]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ranges[2 * middle + 1] ?? 0) < number) low = middle + 1
    else high = middle
  }
  return 2 * low
}

function parseRanges(bounds: readonly Plain[]): Ranges {
  const ranges: Ranges = []
  let behind = -1
  for (let i = 0; i < bounds.length; i += 2) {
    const [from, to] = [bounds[i], bounds[i + 1]]
    if (!isCount(from) || !isCount(to) || from <= behind || to < from) throw invalid()
    ranges.push(from, to)
    behind = to
  }
  return ranges
}

function parseIncarnation(value: Plain | undefined): string {
  if (!(value instanceof Uint8Array) || value.length !== INCARNATION_BYTES) throw invalid()
  return Buffer.from(value).toString('hex')
}

function encode(kind: number, content: readonly unknown[]): string {
  return Buffer.from(pack([kind, ...content])).toString('base64url')
}

function decode(text: string, kind: number): readonly Plain[] {
  if (text.length > CURSOR_CHARS || !/^[A-Za-z0-9_-]+$/.test(text)) throw invalid()
  let value: Plain
  try {
    const bytes = Buffer.from(text, 'base64url')
    expectFewValues(bytes, CURSOR_VALUES)
    value = decodeValue(bytes)
  } catch (error) {
    throw invalid(error)
  }
  if (!Array.isArray(value) || value[0] !== kind) throw invalid()
  return value.slice(1) as readonly Plain[]
}

function isCount(value: Plain | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** Positions start at -1: behind nothing. */
function isPosition(value: Plain | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= -1
}

function invalid(cause?: unknown): FlogError {
  return new FlogError('FLOG_CURSOR_INVALID', 'not a cursor of this publisher: leave it out to start over', {
    cause,
  })
}
