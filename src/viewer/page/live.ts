import { decodeValue } from '../../codec/decode'
import type { LogEvent } from '../../event/event'
import type { RecordedEvent } from '../../incident/parts'
import { after, wallMicros } from './browser'
import type { Store } from './store'

export interface LiveHost {
  /** The process began anew, and counts its events from the start. @returns where they go from now on */
  onRestarted(): Store
  /** Events came. */
  onEvents(): void
  onState(state: LiveState): void
}

/**
 * `missed`: events in all that were overwritten before they could be had. `restartedAt`: microseconds; what the process logged
 * before is not shown.
 */
export type LiveState =
  | { readonly kind: 'following'; readonly missed: number; readonly restartedAt: number | undefined }
  | { readonly kind: 'lost'; readonly since: number; readonly reason: string; readonly missed: number }

/** Events are shown so often: a page that draws for each of ten thousand a second does nothing else. */
const DRAW_MS = 200

/** Adds what a process logs to a store, until the page is closed. */
export function followLive(first: Store, host: LiveHost): void {
  const source = new EventSource('api/live')
  let store = first
  let missed = 0
  let waiting: RecordedEvent[] = []
  let restartedAt: number | undefined
  const following = (): void => host.onState({ kind: 'following', missed, restartedAt })
  const lost = (reason: string): void => host.onState({ kind: 'lost', since: wallMicros(), reason, missed })
  const take = (): void => {
    const recorded = waiting
    waiting = []
    store.follow(recorded)
    host.onEvents()
  }
  source.onopen = following
  source.onerror = () => lost('the server of this page does not answer')
  source.addEventListener('events', ({ data }) => {
    if (waiting.length === 0) after(DRAW_MS, take)
    // What comes again after a lost connection is there already.
    for (const event of eventsOf(data)) if (!has(store, waiting, event)) waiting.push({ event })
  })
  source.addEventListener('restarted', () => {
    waiting = []
    store = host.onRestarted()
    restartedAt = wallMicros()
    following()
  })
  source.addEventListener('missed', ({ data }) => {
    missed += Number(data)
    following()
  })
  source.addEventListener('lost', ({ data }) => lost(String(data)))
  source.addEventListener('connected', following)
}

function has(store: Store, waiting: readonly RecordedEvent[], { seq, time }: LogEvent): boolean {
  const last = waiting.at(-1)?.event.seq
  if (last !== undefined && seq > last) return false
  return store.at(store.indexOf(seq))?.event.time === time
}

function eventsOf(base64: string): readonly LogEvent[] {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  return decodeValue(bytes) as unknown as readonly LogEvent[]
}
