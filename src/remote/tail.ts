import { REMOTE_BATCH_EVENTS } from '../base/limits'
import { decodeEvent } from '../codec/decode'
import type { LogEvent, Plain } from '../event/event'
import { isLost, type Sessions } from './connection'
import { CURSOR_CHARS } from './cursor'
import { INCARNATION } from './shapes'
import { type Fields, protocolError } from './wire'

export interface TailRequest {
  /** 1–24. */
  readonly severity?: number
  readonly facility?: string
  readonly text?: string
  readonly from: string
}

/** What a tail says between events. */
export interface TailNotice {
  /**
   * Events, of whatever severity and facility, that were overwritten in the rings before they could be sent.
   */
  readonly missed: number
  /** The incarnation of the process that took the place of the one before; what that one had left is lost. */
  readonly restarted?: string
}

export type TailItem = LogEvent | TailNotice

export function isTailNotice(item: TailItem): item is TailNotice {
  return 'missed' in item
}

/** Longer messages can only be a publisher that does not keep to its limits. */
const MAX_ENTRIES = 2 * REMOTE_BATCH_EVENTS

/**
 * Events of a publisher, across connections: each one continues behind the last message that came whole.
 */
export async function* tailEvents(
  sessions: Sessions,
  request: TailRequest,
  signal: AbortSignal | undefined,
): AsyncGenerator<TailItem, void, void> {
  let from = request.from
  for (;;) {
    const { session } = await sessions.next(signal)
    try {
      for await (const item of session.stream('tail', { ...request, from }, signal)) {
        from = item.text('position', CURSOR_CHARS)
        yield* itemsOf(item)
      }
    } catch (error) {
      if (!isLost(error)) throw error
    }
  }
}

function* itemsOf(item: Fields): Generator<TailItem, void, void> {
  if (item.has('restarted')) {
    yield { missed: 0, restarted: item.matching('restarted', INCARNATION, '16 hexadecimal digits') }
  }
  const entries = item.list('entries', MAX_ENTRIES)
  for (const entry of entries) yield itemOf(entry)
}

function itemOf(entry: Plain): TailItem {
  if (typeof entry === 'number' && Number.isSafeInteger(entry) && entry > 0) return { missed: entry }
  if (!(entry instanceof Uint8Array))
    throw protocolError('an entry of a tail is neither an event nor a count')
  try {
    return decodeEvent(entry)
  } catch {
    // An event that this version cannot read counts like one that did not come
    return { missed: 1 }
  }
}
