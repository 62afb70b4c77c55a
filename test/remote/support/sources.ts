import { createHash } from 'node:crypto'
import { FlogError } from '../../../src/base/errors'
import type { IncidentSummary } from '../../../src/incident/header'
import type { Representation } from '../../../src/incident/name'
import type {
  About,
  EventReader,
  EventSource,
  IncidentNotice,
  IncidentSource,
  OpenedIncident,
  RingPosition,
  TailEvent,
} from '../../../src/remote/source'
import { pack } from '../../../src/remote/wire'

export const INCARNATION = '0123456789abcdef'

export function aboutTest(incarnation = INCARNATION): About {
  return {
    service: 'shop',
    version: '1.4.2',
    host: 'tester',
    pid: 4711,
    incarnation,
    versions: { node: process.versions.node, flog: '0.1.0' },
    startedAt: 1_763_765_549_000_123,
  }
}

export function summaryOf(number: number, more: Partial<IncidentSummary> = {}): IncidentSummary {
  const incarnation = more.incarnation ?? INCARNATION
  return {
    id: `${incarnation}-${number}`,
    incarnation,
    number,
    state: 'finished',
    openedAt: 1_763_765_549_000_000 + number * 1_000_000,
    closedAt: 1_763_765_549_500_000 + number * 1_000_000,
    closeReason: 'time',
    trigger: {
      kind: 'event',
      reason: 'severity error',
      fingerprint: '00ff00ff00ff00ff',
      event: {
        seq: number * 100,
        time: 1_763_765_549_000_000 + number * 1_000_000,
        severity: 17,
        message: `order ${number} failed`,
        facility: 'shop.orders',
        fields: { order: number },
      },
    },
    service: 'shop',
    version: '1.4.2',
    host: 'tester',
    pid: 4711,
    versions: { node: process.versions.node },
    events: { total: 10, history: 8, after: 2 },
    furtherTriggers: 0,
    bytes: 1000,
    ...more,
  }
}

/** Incidents in memory, with the behaviour of an incident directory. */
export class MemoryIncidents implements IncidentSource {
  readonly summaries = new Map<string, IncidentSummary>()
  readonly files = new Map<string, Uint8Array>()
  readonly watchers = new Set<(notice: IncidentNotice) => void>()
  listings = 0
  openFiles = 0
  /** Called before each read of a file. */
  onRead: (position: number) => void = () => undefined

  put(
    summary: IncidentSummary,
    representation: Representation = 'gzip',
    bytes: Uint8Array = new Uint8Array(10),
  ): void {
    const known = this.summaries.get(summary.id)
    this.summaries.set(summary.id, summary)
    this.files.set(`${summary.id} ${representation}`, bytes)
    if (summary.state === 'finished') this.files.delete(`${summary.id} open`)
    if (known?.state !== summary.state)
      this.#tell({ kind: summary.state === 'open' ? 'opened' : 'closed', summary })
  }

  remove(id: string): void {
    this.summaries.delete(id)
    this.files.delete(`${id} gzip`)
    this.#tell({ kind: 'removed' })
  }

  async list(): Promise<readonly IncidentSummary[]> {
    this.listings++
    return [...this.summaries.values()]
  }

  async open(id: string, representation: Representation): Promise<OpenedIncident> {
    const bytes = this.files.get(`${id} ${representation}`)
    if (bytes === undefined) throw new FlogError('FLOG_INCIDENT_UNKNOWN', `no incident ${id}`)
    this.openFiles++
    return {
      size: bytes.length,
      read: async (position, length) => {
        this.onRead(position)
        return bytes.slice(position, position + length)
      },
      close: async () => {
        this.openFiles--
      },
    }
  }

  async *watch(signal: AbortSignal): AsyncGenerator<IncidentNotice, void, void> {
    const queue: IncidentNotice[] = []
    let wake: () => void = () => undefined
    const watcher = (notice: IncidentNotice): void => {
      queue.push(notice)
      wake()
    }
    this.watchers.add(watcher)
    signal.addEventListener('abort', () => wake(), { once: true })
    try {
      while (!signal.aborted) {
        const notice = queue.shift()
        if (notice !== undefined) yield notice
        else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
    } finally {
      this.watchers.delete(watcher)
    }
  }

  #tell(notice: IncidentNotice): void {
    for (const watcher of this.watchers) watcher(notice)
  }
}

interface Stored {
  readonly ordinal: number
  readonly seq: number
  readonly payload: Uint8Array
}

/**
 * Two rings of a fixed number of events each: even severities bands in one, odd in the other; same rules as
 * real ones.
 */
export class MemoryEvents implements EventSource {
  readonly #rings: { stored: Stored[]; next: number }[] = [
    { stored: [], next: 0 },
    { stored: [], next: 0 },
  ]
  #seq = 0
  readers = 0

  constructor(readonly capacity = 1000) {}

  get written(): number {
    return this.#seq
  }

  log(message: string, { severity = 9, facility = '', fields = {}, ring = this.#seq % 2 } = {}): number {
    const seq = this.#seq++
    const target = this.#rings[ring]!
    target.stored.push({
      ordinal: target.next++,
      seq,
      payload: eventBytes(seq, severity, message, facility, fields),
    })
    if (target.stored.length > this.capacity) target.stored.shift()
    return seq
  }

  subscribe(start: 'now' | 'oldest' | RingPosition): EventReader {
    this.readers++
    const rings = this.#rings
    let missed = 0
    const ordinals = rings.map((ring, i) => {
      if (start === 'now') return ring.next
      return start === 'oldest' ? (ring.stored[0]?.ordinal ?? ring.next) : (start.ordinals[i] ?? 0)
    })
    const peek = (i: number): Stored | undefined => {
      const oldest = rings[i]!.stored[0]
      if (oldest !== undefined && oldest.ordinal > ordinals[i]!) {
        missed += oldest.ordinal - ordinals[i]!
        ordinals[i] = oldest.ordinal
      }
      return oldest && rings[i]!.stored[ordinals[i]! - oldest.ordinal]
    }
    const read = (max: number): readonly TailEvent[] => {
      const events: TailEvent[] = []
      while (events.length < max) {
        const [a, b] = [peek(0), peek(1)]
        if (a === undefined && b === undefined) break
        const i = b === undefined || (a !== undefined && a.seq < b.seq) ? 0 : 1
        events.push((i === 0 ? a : b)!)
        ordinals[i]!++
      }
      return events
    }
    const takeMissed = (): number => {
      const taken = missed
      missed = 0
      return taken
    }
    return { read, takeMissed, position: () => ({ ordinals: [...ordinals] }) }
  }
}

/** An event as FORMAT.md has it. */
export function eventBytes(
  seq: number,
  severity: number,
  message: string,
  facility: string,
  fields: object,
): Uint8Array {
  const head = Buffer.alloc(20)
  head[0] = 0x96
  head[1] = 0xcb
  head.writeDoubleBE(seq, 2)
  head[10] = 0xcb
  head.writeDoubleBE(1_763_765_549_000_000 + seq, 11)
  head[19] = severity
  return Buffer.concat([head, pack(message), pack(facility), pack(fields)])
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
