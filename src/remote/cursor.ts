import { FlogError } from '../base/errors'
import { decodeValue } from '../codec/decode'
import type { Plain } from '../event/event'
import { compareIncidentIds } from '../incident/name'
import type { TailPosition } from './source'
import { pack } from './wire'

/**
 * Cursors: text that a subscriber keeps and gives back, and that says nothing to it.
 *
 * Inside is MessagePack in base64url. An incident cursor is the exact set of incidents that were delivered:
 * for each incarnation the ranges of their numbers. The highest number would not do: incidents of one process
 * mostly close in the order of their numbers, but one that was held in memory while the disk was full, or
 * that another thread or the finder of a dead process wrote, closes after a later one. In the usual case a
 * process has one range.
 */
const INCIDENT_CURSOR = 1
const TAIL_CURSOR = 2
const INCARNATION_BYTES = 8
/** Longest cursor that is looked at, in characters: room for some 30,000 incarnations in one directory. */
export const CURSOR_CHARS = 512 * 1024
const MAX_RINGS = 4096

interface Identified {
  readonly incarnation: string
  readonly number: number
}

/** Inclusive. */
type Range = readonly [from: number, to: number]

/** The set of incidents that were delivered. */
export class IncidentCursor {
  readonly #delivered = new Map<string, readonly Range[]>()

  /** @throws FlogError FLOG_CURSOR_INVALID */
  static parse(text: string): IncidentCursor {
    const cursor = new IncidentCursor()
    for (const entry of decode(text, INCIDENT_CURSOR)) {
      if (!Array.isArray(entry)) throw invalid()
      const [incarnation, ...bounds] = entry as readonly Plain[]
      cursor.#delivered.set(parseIncarnation(incarnation), parseRanges(bounds))
    }
    return cursor
  }

  has({ incarnation, number }: Identified): boolean {
    const ranges = this.#delivered.get(incarnation) ?? []
    return ranges.some(([from, to]) => from <= number && number <= to)
  }

  add({ incarnation, number }: Identified): void {
    this.#delivered.set(incarnation, withNumber(this.#delivered.get(incarnation) ?? [], number))
  }

  /** Forgets incarnations of which nothing is there any more; nothing of theirs can be delivered again. */
  prune(present: readonly Identified[]): void {
    const incarnations = new Set(present.map((one) => one.incarnation))
    for (const incarnation of this.#delivered.keys()) {
      if (!incarnations.has(incarnation)) this.#delivered.delete(incarnation)
    }
  }

  toString(): string {
    const entries = [...this.#delivered].sort(([a], [b]) => (a < b ? -1 : 1))
    return encode(
      INCIDENT_CURSOR,
      entries.map(([incarnation, ranges]) => [Buffer.from(incarnation, 'hex'), ...ranges.flat()]),
    )
  }
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

function withNumber(ranges: readonly Range[], number: number): readonly Range[] {
  const before = ranges.filter(([, to]) => to < number - 1)
  const after = ranges.filter(([from]) => from > number + 1)
  const touching = ranges.slice(before.length, ranges.length - after.length)
  const from = Math.min(number, ...touching.map(([start]) => start))
  const to = Math.max(number, ...touching.map(([, end]) => end))
  return [...before, [from, to], ...after]
}

function parseRanges(bounds: readonly Plain[]): readonly Range[] {
  const ranges: Range[] = []
  let behind = -1
  for (let i = 0; i < bounds.length; i += 2) {
    const [from, to] = [bounds[i], bounds[i + 1]]
    if (!isCount(from) || !isCount(to) || from <= behind || to < from) throw invalid()
    ranges.push([from, to])
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
    value = decodeValue(Buffer.from(text, 'base64url'))
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
