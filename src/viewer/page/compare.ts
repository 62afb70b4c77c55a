import type { LogEvent } from '../../event/event'
import { bandName } from '../../event/severity'
import { Slices } from './browser'
import type { Store } from './store'

/** A kind of line that two recordings do not have in the same measure. */
export interface Difference {
  readonly severity: string
  readonly facility: string
  readonly message: string
  /** Events a minute, here and there. */
  readonly here: number
  readonly there: number
  /** Events, here and there. */
  readonly hereCount: number
  readonly thereCount: number
}

const SHOWN = 40
/** A rate that is so many times another one is worth a line. */
const FACTOR = 3

/**
 * What the recordings of two incidents of the same kind do not have in common: lines that only one has, and lines that are
 * much more frequent in one. Rates, as one may hold more history than the other.
 */
export async function differencesOf(here: Store, there: Store): Promise<readonly Difference[]> {
  const [mine, theirs] = [await linesOf(here), await linesOf(there)]
  const differences: Difference[] = []
  for (const key of new Set([...mine.lines.keys(), ...theirs.lines.keys()])) {
    const [one, other] = [mine.lines.get(key), theirs.lines.get(key)]
    const sample = one?.sample ?? other?.sample
    if (sample === undefined) continue
    const [hereCount, thereCount] = [one?.count ?? 0, other?.count ?? 0]
    const difference = {
      severity: bandName(sample.severity),
      facility: sample.facility,
      message: sample.message,
      here: hereCount / mine.minutes,
      there: thereCount / theirs.minutes,
      hereCount,
      thereCount,
    }
    if (weight(difference) > 0) differences.push(difference)
  }
  return differences.sort((one, other) => weight(other) - weight(one)).slice(0, SHOWN)
}

/** 0 for what is no difference. */
function weight({ here, there, hereCount, thereCount, severity }: Difference): number {
  const worse = severity === 'error' || severity === 'fatal' ? 4 : severity === 'warn' ? 2 : 1
  if (hereCount === 0 || thereCount === 0) return worse * (1 + Math.log2(1 + hereCount + thereCount))
  const ratio = Math.max(here / there, there / here)
  return ratio < FACTOR || hereCount + thereCount < 10 ? 0 : worse * Math.log2(ratio)
}

interface Line {
  count: number
  readonly sample: LogEvent
}

async function linesOf(
  store: Store,
): Promise<{ readonly lines: Map<string, Line>; readonly minutes: number }> {
  const lines = new Map<string, Line>()
  const slices = new Slices()
  for (const [at, { event }] of store.events.entries()) {
    const message = event.message.replace(/\d+/g, '#').slice(0, 200)
    const key = `${bandName(event.severity)}\0${event.facility}\0${message}`
    const line = lines.get(key)
    if (line === undefined) lines.set(key, { count: 1, sample: event })
    else line.count++
    if ((at & 255) === 0 && slices.due) await slices.turn()
  }
  const [first, last] = [store.times[0] ?? 0, store.times[Math.max(0, store.length - 1)] ?? 0]
  return { lines, minutes: Math.max(1 / 60, (last - first) / 60e6) }
}
