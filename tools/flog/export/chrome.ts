import type { LogEvent } from '../../../src/event/event'
import { toJson } from '../../../src/event/json'
import { severityName } from '../../../src/event/severity'
import { messageText } from '../../../src/event/template'
import type { RecordedEvent } from '../../../src/incident/parts'
import type { DumpedFile, Target } from '../dump/write-parts'
import type { Output } from '../output'
import { jsonText } from '../terminal'

/** Spans of which begin and end are remembered; the others are told by their events alone. */
const SPANS = 200_000
/** Viewers show names in little room. */
const NAME_CHARS = 120

interface Span {
  readonly id: string
  readonly facility: string
  readonly first: LogEvent
  /** Not always that of the first event: clocks are set back. */
  begin: number
  last: number
  events: number
  failed: boolean
}

/**
 * Events in the JSON of Chrome's trace viewer and of Perfetto (https://ui.perfetto.dev; "Trace Event Format"): a process for
 * each file, a track for each facility, on it the events as marks and the spans as slices, from their first event to their
 * last. Spans of a facility that overlap without one holding the other get further tracks.
 */
export function chromeTarget(out: Output): Target {
  const files = new Map<DumpedFile, Tracks>()
  let begun = false
  const write = (event: object): void => {
    out.write(`${begun ? ',\n' : '{"displayTimeUnit":"ms","traceEvents":[\n'}${jsonText(event)}`)
    begun = true
  }
  const tracksOf = (file: DumpedFile): Tracks => {
    const known = files.get(file)
    if (known !== undefined) return known
    const tracks = new Tracks(files.size + 1, write)
    files.set(file, tracks)
    return tracks
  }
  return {
    events(selected, file) {
      const tracks = tracksOf(file)
      for (const recorded of selected) tracks.event(recorded)
    },
    verdict(_, file) {
      tracksOf(file).end(file)
    },
    end() {
      out.write(begun ? '\n]}\n' : '{"displayTimeUnit":"ms","traceEvents":[]}\n')
    },
  }
}

/** The tracks of one process. */
class Tracks {
  readonly #pid: number
  readonly #write: (event: object) => void
  readonly #byName = new Map<string, number>()
  readonly #spans = new Map<string, Span>()

  constructor(pid: number, write: (event: object) => void) {
    this.#pid = pid
    this.#write = write
  }

  event({ event, mark }: RecordedEvent): void {
    const { spanId, time } = event
    this.#write({
      ph: 'i',
      s: mark === 'trigger' ? 'p' : 't',
      pid: this.#pid,
      tid: this.#track(trackName(event.facility)),
      ts: time,
      name: nameOf(event),
      cat: severityName(event.severity),
      args: argsOf(event, mark),
    })
    if (spanId !== undefined) this.#see(spanId, event)
  }

  end({ header, path }: DumpedFile): void {
    const lanes = new Map<string, number[][]>()
    const spans = [...this.#spans.values()].sort(
      (one, other) => one.begin - other.begin || other.last - one.last,
    )
    for (const span of spans) {
      const lane = laneFor(lanes, span)
      this.#write({
        ph: 'X',
        pid: this.#pid,
        tid: this.#track(lane === 0 ? trackName(span.facility) : `${trackName(span.facility)} #${lane + 1}`),
        ts: span.begin,
        dur: span.last - span.begin,
        name: nameOf(span.first),
        cat: 'span',
        args: { span: span.id, trace: span.first.traceId, events: span.events, failed: span.failed },
      })
    }
    const name = header === undefined || header.service === '' ? path : header.service
    this.#write({ ph: 'M', pid: this.#pid, name: 'process_name', args: { name } })
    for (const [track, tid] of this.#byName) {
      this.#write({ ph: 'M', pid: this.#pid, tid, name: 'thread_name', args: { name: track } })
    }
    this.#spans.clear()
  }

  /** Ids of spans need to be unique in their trace only. */
  #see(id: string, event: LogEvent): void {
    const key = `${event.traceId ?? ''} ${id}`
    const known = this.#spans.get(key)
    const failed = event.severity >= 17
    if (known !== undefined) {
      known.begin = Math.min(known.begin, event.time)
      known.last = Math.max(known.last, event.time)
      known.events++
      known.failed ||= failed
    } else if (this.#spans.size < SPANS) {
      const { facility, time } = event
      this.#spans.set(key, { id, facility, first: event, begin: time, last: time, events: 1, failed })
    }
  }

  #track(name: string): number {
    const known = this.#byName.get(name)
    if (known !== undefined) return known
    const tid = this.#byName.size + 1
    this.#byName.set(name, tid)
    return tid
  }
}

/**
 * The first lane of the facility where the span stands free, or within another one: viewers take slices of a track that merely
 * overlap for nested. Spans come by their begin; of each lane the ends of those are kept that are open there.
 */
function laneFor(lanes: Map<string, number[][]>, { facility, begin, last }: Span): number {
  const open = lanes.get(facility) ?? []
  lanes.set(facility, open)
  for (const [lane, ends] of open.entries()) {
    while (ends.length > 0 && (ends.at(-1) as number) <= begin) ends.pop()
    if (ends.length === 0 || (ends.at(-1) as number) >= last) {
      ends.push(last)
      return lane
    }
  }
  open.push([last])
  return open.length - 1
}

function trackName(facility: string): string {
  return facility === '' ? '(no facility)' : facility
}

function nameOf(event: LogEvent): string {
  const text = messageText(event)
  return text.length <= NAME_CHARS ? text : `${text.slice(0, NAME_CHARS - 1).toWellFormed()}…`
}

function argsOf(event: LogEvent, mark: RecordedEvent['mark']): object {
  const { seq, fields, error, traceId, spanId, parent } = event
  return {
    seq,
    severity: severityName(event.severity),
    message: messageText(event),
    fields: toJson(fields),
    error: error && { name: error.name, message: error.message, stack: error.stack },
    trace: traceId,
    span: spanId,
    parent,
    trigger: mark,
  }
}
