import type { IncidentSummary } from '../incident/header'
import { isLost, type Sessions } from './connection'
import { CURSOR_CHARS } from './cursor'
import { parseSummary } from './shapes'
import { type Fields, protocolError } from './wire'

/** What a subscription to incidents tells. */
export type IncidentNews =
  /**
   * A finished incident, told once. `cursor` continues behind it, with this publisher and with others of its
   * directory.
   */
  | { readonly kind: 'incident'; readonly incident: IncidentSummary; readonly cursor: string }
  /** An incident began; it will be told again, as `incident`, when it is finished. */
  | { readonly kind: 'opened'; readonly incident: IncidentSummary }
  /** All that was there when the subscription, or a new connection, began has been told. */
  | { readonly kind: 'caughtUp'; readonly cursor: string }

export interface IncidentsRequest {
  readonly since?: string
  readonly catchUp?: boolean
}

/** Notices of opening that are remembered, so that a new connection does not repeat them. */
const REMEMBERED = 1000
const APPEND_CHARS = 100

/**
 * Incidents of a publisher, across connections: each one continues behind the last incident that was told.
 */
export async function* incidentNews(
  sessions: Sessions,
  request: IncidentsRequest,
  signal: AbortSignal | undefined,
): AsyncGenerator<IncidentNews, void, void> {
  let params = request
  const opened = new Set<string>()
  for (;;) {
    const { session } = await sessions.next(signal)
    try {
      let cursor = ''
      for await (const item of session.stream('incidents', params, signal)) {
        cursor = cursorAfter(cursor, item)
        const news = newsOf(item, cursor)
        if (news.kind === 'opened' && !isNew(opened, news.incident.id)) continue
        if (news.kind !== 'opened') params = { since: news.cursor }
        yield news
      }
    } catch (error) {
      if (!isLost(error)) throw error
    }
  }
}

/** An item has its cursor, or what to append to the one before, or leaves that where it is. */
function cursorAfter(cursor: string, item: Fields): string {
  if (item.has('cursor')) return item.text('cursor', CURSOR_CHARS)
  if (!item.has('append')) return cursor
  const longer = cursor + item.text('append', APPEND_CHARS)
  if (cursor === '' || longer.length > CURSOR_CHARS) throw protocolError('nothing to append to, or too much')
  return longer
}

function newsOf(item: Fields, cursor: string): IncidentNews {
  const { incident, opened } = item.map
  if (opened !== undefined) return { kind: 'opened', incident: parseSummary(opened) }
  if (cursor === '') throw protocolError('a subscription to incidents without a cursor')
  if (incident !== undefined) return { kind: 'incident', incident: parseSummary(incident), cursor }
  if (item.flag('caughtUp')) return { kind: 'caughtUp', cursor }
  throw protocolError('an item of a subscription to incidents that is none')
}

function isNew(remembered: Set<string>, id: string): boolean {
  if (remembered.has(id)) return false
  if (remembered.size >= REMEMBERED) remembered.clear()
  remembered.add(id)
  return true
}
