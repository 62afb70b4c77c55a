import type { ErrorRecord, LogEvent, PlainObject } from '../../src/event/event'
import { ERROR, INFO, WARN } from '../../src/event/severity'
import type { IncidentHeader, IncidentTrailer } from '../../src/incident/header'
import type { IncidentPart } from '../../src/incident/parser'
import type { RecordedEvent } from '../../src/incident/parts'
import { rewriteIncident } from '../../src/incident/rewrite'

export interface BusyIncident {
  /** Events, at least 100. */
  readonly events: number
  /** Takes the place of some of what the service logs: names, paths, messages that somebody sent. */
  readonly hostile?: readonly string[]
  readonly id?: string
  /** Microseconds since the epoch. */
  readonly at?: number
}

const INCARNATION = '5a0bf00dcafe0001'
const AT = Date.UTC(2026, 10, 21, 20, 31, 5, 123) * 1000
const HISTORY_US = 41_000_000
const WINDOW_US = 5_000_000
/** The part of the events that comes before the trigger. */
const BEFORE = 0.9

/** Writes the incident of a service whose connections run out: traces, spans, parents, errors with causes, further triggers. */
export async function writeBusyIncident(path: string, options: BusyIncident): Promise<void> {
  const mark = { by: 'import', at: options.at ?? AT, flog: '0.1.0' } as const
  await rewriteIncident(partsOf(options), path, { mark, overwrite: true })
}

async function* partsOf(options: BusyIncident): AsyncGenerator<IncidentPart, void> {
  const { events: count, at = AT } = options
  const history = Math.floor(count * BEFORE)
  const recorded = Array.from({ length: count }, (_, seq) => recordedEvent(seq, history, count, options))
  const trigger = recorded[history]?.event as LogEvent
  yield { kind: 'header', header: headerOf(trigger, options) }
  for (let from = 0; from < count; from += 500)
    yield { kind: 'events', events: recorded.slice(from, from + 500) }
  const trailer: IncidentTrailer = {
    closedAt: at + WINDOW_US,
    reason: 'time',
    events: { total: count, history: history + 1, after: count - history - 1 },
    furtherTriggers: recorded
      .filter(({ mark }) => mark === 'further')
      .map(({ event }) => ({
        ...{ seq: event.seq, time: event.time, kind: 'event' as const },
        ...{ reason: 'severity error', fingerprint: '00ff00ff00ff00ff' },
      })),
    ...{ furtherTriggersOmitted: 0, lost: 0 },
  }
  yield { kind: 'trailer', trailer }
  const wholeBytes = 0
  yield {
    kind: 'verdict',
    verdict: {
      ...{ state: 'whole', events: count, eventsLost: 0, damage: [], damageOmitted: 0 },
      ...{ plainBytes: wholeBytes, wholeBytes, hasHeader: true, hasTrailer: true },
    },
  }
}

function headerOf(event: LogEvent, { id = `${INCARNATION}-1`, at = AT }: BusyIncident): IncidentHeader {
  const ring = (severity: string, seconds: number, evicted: number) => ({
    ...{
      severity,
      facility: '',
      thread: 0,
      capacityBytes: 8 << 20,
      usedBytes: 7 << 20,
      events: 1000,
      evicted,
    },
    oldest: at - seconds * 1e6,
  })
  return {
    ...{ type: 'incident', format: '1.0', id, incarnation: INCARNATION, number: 1, openedAt: at },
    trigger: { kind: 'event', reason: 'severity error', fingerprint: '00ff00ff00ff00ff', event },
    ...{ service: 'shop', version: '1.4.2', host: 'checkout-7f9c', pid: 4711 },
    process: { bootId: '', pidNamespace: '', pid: 4711, startTime: '' },
    versions: { node: '20.20.2' },
    rings: [ring('debug', 41, 182_000), ring('info', 41, 90_000), ring('warn', 40, 0), ring('error', 40, 0)],
    suppressed: { perHour: 0, perFingerprint: 0, coolDown: 0 },
    postTrigger: { events: 1000, ms: 5000 },
  }
}

function recordedEvent(seq: number, history: number, count: number, options: BusyIncident): RecordedEvent {
  const { at = AT, hostile = [] } = options
  const time =
    seq <= history
      ? at - Math.floor((HISTORY_US * (history - seq)) / history)
      : at + Math.floor((WINDOW_US * (seq - history)) / (count - history))
  const request = seq >> 3
  const base = { seq, time, traceId: hex(request, 32), spanId: hex(seq >> 1, 16) }
  const first = request << 3
  const parent = seq === first ? {} : { parent: first }
  const said = hostile.length === 0 ? undefined : hostile[seq % hostile.length]
  const failing = seq === history || (seq > history && seq % 97 === 0)
  if (failing) {
    const event = {
      ...base,
      ...parent,
      severity: ERROR,
      facility: 'payment',
      ...paymentFailed(request, said),
    }
    return { event, mark: seq === history ? 'trigger' : 'further' }
  }
  // The pool runs dry in the last quarter of the history.
  const dryness = Math.max(0, (seq - history * 0.75) / (history * 0.25))
  return { event: { ...base, ...parent, ...ordinary(seq, request, dryness, said) } }
}

type Said = Pick<LogEvent, 'severity' | 'facility' | 'message' | 'fields'>

function ordinary(seq: number, request: number, dryness: number, said: string | undefined): Said {
  const kind = seq & 7
  const wait = Math.round(4 + (hash(seq) % 5) + dryness * 4900)
  if (kind === 0)
    return line(5, 'http.server', '{method} {path}', {
      method: request % 9 ? 'GET' : 'POST',
      path: said ?? PATHS[request % 4] ?? '/',
      user: request % 977,
    })
  if (kind === 3 && dryness > 0 && hash(seq) % 3 === 0)
    return line(WARN, 'db.pool', 'pool exhausted, {waiting} waiting', {
      waiting: Math.round(dryness * 64),
      wait,
    })
  if (kind === 4) return line(5, 'db.pool', 'lease taken after {wait} ms', { wait, size: 16 })
  if (kind === 5 && dryness > 0 && request % 5 === 0)
    return line(WARN, 'db.pool', 'lease not returned', { route: '/refund', lease: request })
  if (kind === 7)
    return line(INFO, 'http.server', '{status} in {ms} ms', {
      status: 200,
      ms: wait + 12,
      user: { id: request % 977, name: said ?? 'kim' },
    })
  if (kind === 6) return line(1, 'cache', said ?? 'hit', { key: `cart:${request % 64}` })
  return line(5, FACILITIES[kind] ?? 'shop', 'step {step} of order {orderId}', {
    step: kind,
    orderId: request,
  })
}

const PATHS = ['/cart', '/refund', '/checkout', '/health']
const FACILITIES = ['shop', 'cart', 'stock', 'shop.price']

function line(severity: number, facility: string, message: string, fields: PlainObject): Said {
  return { severity, facility, message, fields }
}

function paymentFailed(
  request: number,
  said: string | undefined,
): Pick<LogEvent, 'message' | 'fields' | 'error'> {
  const error: ErrorRecord = {
    name: 'TimeoutError',
    message: said ?? 'no connection within 5000 ms',
    code: 'ETIMEDOUT',
    stack: `TimeoutError: no connection within 5000 ms
    at Pool.take (/srv/shop/src/db/pool.js:88:13)
    at async pay (/srv/shop/src/payment.js:31:18)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)`,
    cause: {
      $: 'error',
      name: 'Error',
      message: said ?? 'pool exhausted',
      stack: 'Error: pool exhausted\n    at Pool.grow (/srv/shop/src/db/pool.js:52:11)',
    },
  }
  return {
    message: 'payment {id} failed',
    fields: { id: request, amount: 4250, currency: 'EUR', retry: false },
    error,
  }
}

function hex(number: number, length: number): string {
  return hash(number).toString(16).padStart(8, '0').repeat(4).slice(0, length)
}

/** The same everywhere and every time: murmur's last step (Appleby, MurmurHash3). */
function hash(number: number): number {
  let h = Math.imul(number ^ (number >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
