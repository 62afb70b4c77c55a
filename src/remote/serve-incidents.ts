import type { Clock, Timer } from '../base/clock'
import {
  REMOTE_PAGE_BYTES,
  REMOTE_PAGE_INCIDENTS,
  REMOTE_RELIST_MS,
  REMOTE_SUMMARY_EVENT_BYTES,
} from '../base/limits'
import type { IncidentSummary } from '../incident/header'
import { appendix, CURSOR_CHARS, compareIncidents, IncidentCursor } from './cursor'
import type { Outgoing } from './outgoing'
import type { IncidentPage } from './protocol'
import type { IncidentNotice, IncidentSource } from './source'
import { type Fields, pack } from './wire'

const MAX_PAGE = 1000
/** Summaries that are looked at in one turn of the event loop. */
const SLICE_INCIDENTS = 32
/** A cursor up to this long is sent with every incident. */
const SHORT_CURSOR_CHARS = 1024
/** Notices of opening that wait for one subscriber; they are news, and only the newest are. */
const MAX_OPENED = 100

/**
 * Answers `list`: the finished incidents that the cursor has not, a page of them, and with the last page the
 * open ones. Undefined at the signal.
 */
export async function serveList(
  incidents: SharedIncidents,
  params: Fields,
  signal: AbortSignal,
): Promise<IncidentPage | undefined> {
  const limit = params.has('limit') ? params.count('limit', MAX_PAGE, 1) : REMOTE_PAGE_INCIDENTS
  const cursor = cursorIn(params)
  const all = await incidents.list()
  const due = undelivered(all, cursor)
  const page: IncidentSummary[] = []
  let bytes = 0
  for (const summary of due) {
    if (page.length % SLICE_INCIDENTS === SLICE_INCIDENTS - 1) await new Promise(setImmediate)
    if (signal.aborted) return undefined
    const cut = cutForList(summary)
    bytes += pack(cut).length
    if (page.length >= limit || (page.length > 0 && bytes > REMOTE_PAGE_BYTES)) break
    page.push(cut)
    cursor.add(summary)
  }
  cursor.prune(all)
  const more = page.length < due.length
  return { incidents: page, open: more ? [] : openOnes(all), cursor: String(cursor), more }
}

/**
 * Answers `incidents`: delivers each incident once, when it is finished, with the cursor behind it; tells of
 * those that open; marks the point where what was there before has been delivered.
 *
 * Every round compares the whole list with the cursor, so that nothing depends on a notice that did not come,
 * came twice, or had no room.
 */
export async function serveIncidents(
  incidents: SharedIncidents,
  params: Fields,
  out: Outgoing,
): Promise<void> {
  const fromHere = !params.has('since') && !params.flag('catchUp')
  const cursor = cursorIn(params)
  const news = incidents.follow(out.signal)
  const all = await incidents.list()
  if (out.signal.aborted) return
  const told = new ToldCursor(cursor)
  if (fromHere) for (const summary of all) if (summary.state === 'finished') cursor.add(summary)
  if (!(await deliver(all, told, out))) return
  if (!fromHere) for (const opened of openOnes(all)) if (await out.whenReady()) out.item({ opened })
  if (await out.whenReady()) out.item({ caughtUp: true, ...told.whole() })
  while (await news.wait()) {
    for (const opened of news.takeOpened()) {
      if (!cursor.has(opened) && (await out.whenReady())) out.item({ opened: cutForList(opened) })
    }
    if (!news.takeChanged()) continue
    // A directory that cannot be read for a moment is looked at again with the next news, or the next regular
    // look
    const now = await incidents.list().catch(() => undefined)
    if (now !== undefined && !(await deliver(now, told, out))) return
  }
}

async function deliver(all: readonly IncidentSummary[], told: ToldCursor, out: Outgoing): Promise<boolean> {
  told.cursor.prune(all)
  for (const summary of undelivered(all, told.cursor)) {
    if (!(await out.whenReady())) return false
    out.item({ incident: cutForList(summary), ...told.behind(summary) })
  }
  return !out.signal.aborted
}

/**
 * The cursor as it goes out with incidents: while it is short the whole of it; of a long one what to append to the one
 * before, and the whole again when the appendices have become as long as it is.
 */
class ToldCursor {
  readonly cursor: IncidentCursor
  #whole = Number.POSITIVE_INFINITY
  #appended = 0

  constructor(cursor: IncidentCursor) {
    this.cursor = cursor
  }

  behind(summary: IncidentSummary): { readonly cursor: string } | { readonly append: string } {
    this.cursor.add(summary)
    const append = appendix(summary)
    const isLong = this.#whole > SHORT_CURSOR_CHARS && this.#whole < CURSOR_CHARS / 2
    if (!isLong || this.#appended + append.length > this.#whole) return this.whole()
    this.#appended += append.length
    return { append }
  }

  whole(): { readonly cursor: string } {
    const cursor = String(this.cursor)
    this.#whole = cursor.length
    this.#appended = 0
    return { cursor }
  }
}

function undelivered(all: readonly IncidentSummary[], cursor: IncidentCursor): readonly IncidentSummary[] {
  return all.filter((one) => one.state === 'finished' && !cursor.has(one)).sort(compareIncidents)
}

function openOnes(all: readonly IncidentSummary[]): readonly IncidentSummary[] {
  return all
    .filter((one) => one.state === 'open')
    .sort(compareIncidents)
    .slice(-MAX_OPENED)
    .map(cutForList)
}

function cursorIn(params: Fields): IncidentCursor {
  return params.has('since') ? IncidentCursor.parse(params.text('since', CURSOR_CHARS)) : new IncidentCursor()
}

/** A summary for the wire: a very long triggering event stays in the file. */
function cutForList(summary: IncidentSummary): IncidentSummary {
  const { event } = summary.trigger
  const bytes = pack(event).length
  if (bytes <= REMOTE_SUMMARY_EVENT_BYTES) return summary
  const { seq, time, severity, facility } = event
  const message = event.message.slice(0, 1000)
  const short = { seq, time, severity, message, facility, fields: {}, cut: bytes }
  return { ...summary, trigger: { ...summary.trigger, event: short } }
}

/** The incidents as all subscribers of one publisher see them: one watch, and one listing at a time. */
export class SharedIncidents {
  readonly #source: IncidentSource
  readonly #clock: Clock
  readonly #followers = new Set<News>()
  #listing: Promise<unknown> = Promise.resolve()
  #next: Promise<readonly IncidentSummary[]> | undefined
  #watch: AbortController | undefined
  #again: Timer | undefined

  constructor(source: IncidentSource, clock: Clock) {
    this.#source = source
    this.#clock = clock
  }

  /** A listing that begins after the call. */
  list(): Promise<readonly IncidentSummary[]> {
    this.#next ??= this.#listing.then(() => {
      this.#next = undefined
      const listing = this.#source.list()
      this.#listing = listing.catch(() => undefined)
      return listing
    })
    return this.#next
  }

  /** News from the call on, until the signal. */
  follow(signal: AbortSignal): News {
    const news = new News(signal)
    this.#followers.add(news)
    signal.addEventListener('abort', () => this.#leave(news), { once: true })
    if (signal.aborted) this.#leave(news)
    if (this.#followers.size === 1) this.#start()
    return news
  }

  #leave(news: News): void {
    this.#followers.delete(news)
    if (this.#followers.size > 0) return
    this.#watch?.abort()
    this.#watch = undefined
    this.#again?.cancel()
    this.#again = undefined
  }

  #start(): void {
    this.#again = this.#clock.every(REMOTE_RELIST_MS, () => {
      this.#tell({ kind: 'changed' })
      if (this.#watch === undefined) this.#startWatch()
    })
    this.#startWatch()
  }

  #startWatch(): void {
    const watch = new AbortController()
    this.#watch = watch
    void this.#forward(watch.signal).finally(() => {
      if (this.#watch === watch) this.#watch = undefined
    })
  }

  /**
   * A watch that fails is started again with the next regular look, and until then missed only by its
   * quickness.
   */
  async #forward(signal: AbortSignal): Promise<void> {
    try {
      for await (const notice of this.#source.watch(signal)) this.#tell(notice)
    } catch {
      this.#tell({ kind: 'changed' })
    }
  }

  #tell(notice: IncidentNotice): void {
    for (const follower of this.#followers) follower.tell(notice)
  }
}

/** What happened since one subscriber last looked; it holds little, however long that is. */
class News {
  readonly #signal: AbortSignal
  #changed = false
  #opened: IncidentSummary[] = []
  #wake: () => void = () => undefined

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', () => this.#wake(), { once: true })
  }

  tell(notice: IncidentNotice): void {
    if (notice.kind === 'opened') this.#opened = [...this.#opened, notice.summary].slice(-MAX_OPENED)
    else this.#changed = true
    this.#wake()
  }

  /** Resolves when there is something, to true; at the signal to false. */
  async wait(): Promise<boolean> {
    while (!this.#changed && this.#opened.length === 0 && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return !this.#signal.aborted
  }

  takeOpened(): readonly IncidentSummary[] {
    const opened = this.#opened
    this.#opened = []
    return opened
  }

  takeChanged(): boolean {
    const changed = this.#changed
    this.#changed = false
    return changed
  }
}
