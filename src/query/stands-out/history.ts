import type { LogEvent } from '../../event/event'
import { ERROR } from '../../event/severity'
import type { IncidentHeader } from '../../incident/header'
import type { Recording } from '../recording'
import { Coverage } from './coverage'
import { durationOf, fieldRole, saysFailed, visitFields } from './fields'
import { type Shape, Shapes } from './shape'

export const HEALTH_FACILITY = 'process.health'

/** Durations of one kind: one field of one kind of message. */
export interface Series {
  readonly facility: string
  readonly field: string
  readonly unit: number
  /** Places in {@link History.events}, ascending, and the microseconds that each says. */
  readonly places: readonly number[]
  readonly micros: readonly number[]
}

/** A recording up to its trigger, prepared once for all who look at it. */
export interface History {
  readonly recording: Recording
  /** Microseconds since the epoch. */
  readonly triggerTime: number
  /** Absent where nothing set it off that is in the recording. */
  readonly trigger: LogEvent | undefined
  /** Somebody asked for the recording: nothing need be wrong. */
  readonly isAsked: boolean
  /** What the program logged, up to the trigger and with it, in the order of time. */
  readonly events: readonly LogEvent[]
  /** Their times. */
  readonly times: Float64Array
  /** From when on the recording has events like each: {@link Coverage}. */
  readonly covered: Float64Array
  /** Number of the trace, or request, that each belongs to; −1 for none. */
  readonly activities: Int32Array
  /** Samples of the process's health. */
  readonly health: readonly LogEvent[]
  /** 1 for each event that says that something failed. */
  readonly failing: Uint8Array
  /** Number of each event's shape, in {@link History.shapes}. */
  readonly shapeOf: Int32Array
  readonly shapes: readonly Shape[]
  /** Places by facility, from when on they can be compared: {@link comparable}. */
  readonly facilities: ReadonlyMap<string, readonly number[]>
  readonly series: readonly Series[]
  readonly coverage: Coverage
}

export function historyOf(recording: Recording): History {
  const { header } = recording
  const trigger = triggerOf(recording)
  const all = untilTrigger(recording, trigger)
  const isOurs = ({ facility }: LogEvent) => facility === 'flog' || facility.startsWith('flog.')
  const events = all.filter((event) => event.facility !== HEALTH_FACILITY && !isOurs(event))
  const last = all.at(-1)?.time ?? 0
  const coverage = new Coverage(header, all)
  const columns = columnsOf(events)
  const known = {
    coverage,
    times: columns.times,
    covered: Float64Array.from(events, (event) => coverage.from(event)),
  }
  const facilities = new Map<string, readonly number[]>()
  for (const [facility, places] of columns.facilities) facilities.set(facility, comparable(known, places))
  return {
    recording,
    trigger,
    triggerTime: trigger?.time ?? last,
    isAsked: isAsked(header),
    events,
    health: all.filter(({ facility }) => facility === HEALTH_FACILITY),
    ...columns,
    ...known,
    facilities,
  }
}

export function isFailure(history: History, place: number): boolean {
  return history.failing[place] === 1
}

export function timeOf(history: History, place: number | undefined): number {
  return place === undefined ? history.triggerTime : (history.times[place] ?? history.triggerTime)
}

/** Microseconds from the event to the trigger. */
export function beforeTrigger(history: History, place: number | undefined): number {
  return history.triggerTime - timeOf(history, place)
}

/** A severity with a smaller share of the events does not decide from when on they can be compared. */
const SHARE_OF_BAND = 0.02

/**
 * Those of the events that came when the recording has events like all of them: errors reach back further than what is logged
 * when nothing fails.
 */
export function comparable(
  history: Pick<History, 'coverage' | 'covered' | 'times'>,
  places: readonly number[],
): readonly number[] {
  if (history.coverage.isEven) return places
  const starts: number[] = []
  const counts: number[] = []
  for (const place of places) {
    const from = history.covered[place] as number
    const known = starts.indexOf(from)
    if (known === -1) counts[starts.push(from) - 1] = 1
    else counts[known] = (counts[known] as number) + 1
  }
  const least = SHARE_OF_BAND * places.length
  const start = Math.max(...starts.filter((_, at) => (counts[at] as number) >= least))
  return places.filter((place) => (history.times[place] as number) >= start)
}

function isAsked(header: IncidentHeader | undefined): boolean {
  const kind = header?.trigger.kind
  return kind === undefined || kind === 'manual' || kind === 'lateral' || kind === 'signal'
}

function triggerOf({ header, events }: Recording): LogEvent | undefined {
  return events.find(({ mark }) => mark === 'trigger')?.event ?? header?.trigger.event
}

function untilTrigger({ events }: Recording, trigger: LogEvent | undefined): readonly LogEvent[] {
  const last = trigger?.seq ?? Number.POSITIVE_INFINITY
  const until: LogEvent[] = []
  let isOrdered = true
  let time = Number.NEGATIVE_INFINITY
  for (const { event } of events) {
    if (event.seq > last) continue
    isOrdered &&= event.time >= time
    time = event.time
    until.push(event)
  }
  return isOrdered ? until : until.sort((one, other) => one.time - other.time)
}

function columnsOf(events: readonly LogEvent[]) {
  const failing = new Uint8Array(events.length)
  const shapeOf = new Int32Array(events.length)
  const times = new Float64Array(events.length)
  const activities = new Int32Array(events.length).fill(-1)
  const numbers = new Map<string, number>()
  const shapes = new Shapes()
  const facilities = new Map<string, number[]>()
  const series = new SeriesMaker()
  events.forEach((event, place) => {
    const shape = shapes.numberOf(event.facility, event.message)
    shapeOf[place] = shape
    times[place] = event.time
    let failed = event.severity >= ERROR || event.error !== undefined
    let activity = event.traceId
    visitFields(event, (path, value) => {
      const role = fieldRole(path)
      if (role.kind === 'duration') {
        const micros = durationOf(value, role.unit)
        if (micros !== undefined) series.add(event.facility, shape, path, role.unit, place, micros)
      } else if (role.kind === 'request') activity ??= String(value)
      else if (role.kind !== 'plain') failed ||= saysFailed(role, value)
    })
    if (activity !== undefined) activities[place] = numberOf(numbers, activity)
    if (failed) failing[place] = 1
    const places = facilities.get(event.facility)
    if (places === undefined) facilities.set(event.facility, [place])
    else places.push(place)
  })
  return { times, activities, failing, shapeOf, shapes: shapes.list, facilities, series: series.all }
}

function numberOf(numbers: Map<string, number>, name: string): number {
  const known = numbers.get(name)
  if (known !== undefined) return known
  numbers.set(name, numbers.size)
  return numbers.size - 1
}

/** Shapes of which durations are kept: a program that logs no templates has no end of them. */
const SERIES = 2000

class SeriesMaker {
  readonly #byField = new Map<string, Map<number, Series & { places: number[]; micros: number[] }>>()
  readonly all: Series[] = []

  add(facility: string, shape: number, field: string, unit: number, place: number, micros: number): void {
    let shapes = this.#byField.get(field)
    if (shapes === undefined) {
      shapes = new Map()
      this.#byField.set(field, shapes)
    }
    let series = shapes.get(shape)
    if (series === undefined) {
      if (this.all.length === SERIES) return
      series = { facility, field, unit, places: [], micros: [] }
      shapes.set(shape, series)
      this.all.push(series)
    }
    series.places.push(place)
    series.micros.push(micros)
  }
}
