import { HELD_EVENTS, SEVERITIES } from './plan'

/** What is known for certain about a run, whatever the recorder says. */
export interface Facts {
  /** Time at which the call that logged event n had returned, by n; see `acknowledged.ts`. */
  readonly acknowledged: Float64Array
  /** Number of the event that began the incident; undefined where none did. */
  readonly trigger: number | undefined
  /** When the process died, in microseconds since the epoch. */
  readonly diedAt: number
  /** What was logged so long before the death, in ms, has to be there; 0: everything. */
  readonly behindMs: number
}

export interface Judgement {
  readonly preLost: number
  readonly postLost: number
  /** Age of the oldest event that is missing and was not yet to be evicted, in ms before the death. */
  readonly lossMs: number
  /** What is wrong with the order or the set of numbers. */
  readonly why?: string
}

/**
 * Compares the numbered events of a file, in its order, with what was logged.
 *
 * Before the trigger (or the death, where there was none) a ring has to hold its newest {@link HELD_EVENTS}; of the older
 * ones any number may have been evicted, but without holes. After the trigger everything has to be there.
 */
export function judge(facts: Facts, numbers: readonly number[]): Judgement {
  const { acknowledged, trigger, diedAt, behindMs } = facts
  const there = new Set(numbers)
  const end = trigger ?? acknowledged.length
  let preLost = 0
  let lossMs = 0
  for (const n of heldNumbers(end, numbers)) {
    if (there.has(n)) continue
    const age = Math.max(0, (diedAt - (acknowledged[n] ?? diedAt)) / 1000)
    lossMs = Math.max(lossMs, age)
    if (behindMs === 0 || age > behindMs) preLost++
  }
  let postLost = 0
  for (let n = end; n < acknowledged.length; n++) if (!there.has(n)) postLost++
  const why = wrong(numbers, acknowledged.length)
  return { preLost, postLost, lossMs, ...(why !== undefined && { why }) }
}

/** The numbers below `end` that rings hold, oldest first by severity. */
function* heldNumbers(end: number, numbers: readonly number[]): Generator<number> {
  const step = SEVERITIES.length
  for (let severity = 0; severity < step; severity++) {
    const oldest = numbers.find((n) => n % step === severity) ?? end
    const newest = end - 1 - ((end - 1 - severity + step) % step)
    const held = newest - (HELD_EVENTS - 1) * step
    for (let n = Math.max(severity, Math.min(oldest, held)); n < end; n += step) yield n
  }
}

/** One event may have been recorded whose call did not return any more. */
function wrong(numbers: readonly number[], acknowledged: number): string | undefined {
  const at = numbers.findIndex((n, i) => i > 0 && n <= (numbers[i - 1] ?? n))
  if (at > 0) return `event ${numbers[at]} comes after event ${numbers[at - 1]}`
  const strange = numbers.find((n) => !Number.isInteger(n) || n < 0 || n > acknowledged)
  return strange === undefined ? undefined : `event ${strange} was not logged`
}
