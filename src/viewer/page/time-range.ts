import type { Store } from './store'

/** Microseconds since the epoch; the first is less than the second. */
export type Range = readonly [from: number, to: number]

/** From the first event to the last, with a little room on both sides. */
export function wholeRange(store: Store): Range {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let index = 0; index < store.length; index++) {
    const time = store.times[index] as number
    if (time < from) from = time
    if (time > to) to = time
  }
  // A file may end before its trigger; one that says nonsense of it is not to squeeze what there is.
  const trigger = store.triggerTime ?? to
  return withRoom(from, trigger > to && trigger - to < MOST_LOST * (to - from) ? trigger : to)
}

/**
 * What is worth seeing first. A ring of rare errors may go back for days, that of debug events for a minute: where nearly all
 * events lie in a small part of the time, that part.
 */
export function usualRange(store: Store): Range {
  const [from, to] = wholeRange(store)
  if (store.length < 50) return [from, to]
  const step = Math.ceil(store.length / SAMPLES)
  const sample = Float64Array.from(
    { length: Math.floor(store.length / step) },
    (_, index) => store.times[index * step] ?? 0,
  ).sort()
  const early = sample[Math.floor(sample.length * EARLY)] ?? from
  return to - early < (to - from) * SMALL_PART ? withRoom(early, to) : [from, to]
}

/** Moments for the labels of an axis: round numbers of seconds from `origin`. */
export function ticksOf([from, to]: Range, origin: number, width: number): readonly number[] {
  const wanted = Math.max(2, Math.floor(width / TICK_PX))
  const step = STEPS_US.find((candidate) => (to - from) / candidate <= wanted) ?? (to - from) / wanted
  const ticks: number[] = []
  for (let n = Math.ceil((from - origin) / step); origin + n * step <= to && ticks.length < 100; n++)
    ticks.push(origin + n * step)
  return ticks
}

const EARLY = 0.02
/** Of all events so many tell it well enough. */
const SAMPLES = 5000
const SMALL_PART = 0.4
const TICK_PX = 110
const ROOM = 0.01
/** Beyond the end of a file that was cut, as a part of what it holds. */
const MOST_LOST = 2
const LEAST_US = 1000

// biome-ignore format: one unit a line
const STEPS_US: readonly number[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((n) => n * 1e3),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * 1e6),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * 60e6),
  ...[1, 2, 3, 6, 12, 24, 48, 96, 240].map((n) => n * 3600e6),
]

function withRoom(from: number, to: number): Range {
  if (!(from <= to)) return [0, LEAST_US]
  const room = Math.max(LEAST_US, (to - from) * ROOM)
  return [from - room, to + room]
}
