import type { LogEvent } from '../../event/event'
import { allOf, facilityTerm, fieldTerm, sinceTerm } from './expression'
import { type Clue, effectOfRatio, scoreOf, strengthMin } from './finding'
import { HEALTH_FACILITY, type History } from './history'
import { median, quantile, shiftIn, sortedCopy } from './statistics'
import { bytesText, spanText } from './wording'

/** A loop that is late by less is nothing that anybody notices. */
const DELAY_MIN_MS = 200
const DELAY_RATIO_MIN = 4
/** A program that starts loads, compiles and fills its caches. */
const START_SAMPLES = 3
/** Memory that grows: so many parts of the time, each with a higher floor than the one before, all but one. */
const PARTS = 8
const SAMPLES_MIN = 3 * PARTS
const GROWTH_MIN = 1.5
const GROWTH_MIN_BYTES = 32 * 1024 ** 2
/** Of one processor. */
const BUSY = 0.9
const BUSY_BEFORE = 0.6

/** What the samples of the process say: a late event loop, growing memory, a busy processor. */
export function healthClues(history: History): readonly Clue[] {
  const wholeLife = history.recording.header?.rings.every(
    (ring) => ring.facility !== HEALTH_FACILITY || ring.evicted === 0,
  )
  const samples = wholeLife === false ? history.health : history.health.slice(START_SAMPLES)
  const found = [
    lateLoop(history, samples),
    growth(history, samples, 'heapUsed', 'heap'),
    growth(history, samples, 'rss', 'resident memory'),
    growth(history, samples, 'external', 'memory outside of the heap'),
    busy(history, samples),
  ]
  return found.filter((clue) => clue !== undefined)
}

/** Each sample has the longest delay of its second, so one is enough. */
function lateLoop(history: History, samples: readonly LogEvent[]): Clue | undefined {
  const delays = samples.map((sample) => numberAt(sample, 'delayMaxMs') ?? 0)
  if (delays.length < 5) return undefined
  const usual = quantile(sortedCopy(delays), 0.75)
  const limit = Math.max(DELAY_MIN_MS, DELAY_RATIO_MIN * usual)
  const late = samples.filter((_, at) => (delays[at] as number) >= limit)
  const worst = Math.max(...delays)
  const [first] = late
  if (first === undefined) return undefined
  const last = late.at(-1) as LogEvent
  const ago = spanText(history.triggerTime - last.time)
  const often =
    late.length === 1 ? `${ago} before the trigger` : `${late.length} times, last ${ago} before the trigger`
  const lead = history.triggerTime - first.time
  return {
    ...clueOf(
      late,
      `event loop up to ${spanText(worst * 1000)} late, ${often}; mostly ${spanText(usual * 1000)}`,
    ),
    subject: 'event loop',
    filter: allOf(
      facilityTerm(HEALTH_FACILITY),
      fieldTerm('delayMaxMs', '>=', Math.floor(limit)),
      sinceTerm(lead),
    ),
    score: scoreOf(10, effectOfRatio(worst / Math.max(1, usual)), 1),
    since: first.time - worst * 1000,
  }
}

/** By the lowest value of each part, since a heap goes up and down with every collection. */
function growth(
  history: History,
  samples: readonly LogEvent[],
  field: string,
  name: string,
): Clue | undefined {
  const known = samples.filter((sample) => numberAt(sample, field) !== undefined)
  if (known.length < SAMPLES_MIN) return undefined
  const floors = Array.from({ length: PARTS }, (_, part) => {
    const from = Math.floor((part * known.length) / PARTS)
    const to = Math.floor(((part + 1) * known.length) / PARTS)
    return Math.min(...known.slice(from, to).map((sample) => numberAt(sample, field) ?? 0))
  })
  const [first = 0, last = 0] = [floors[0], floors.at(-1)]
  const rises = floors.filter((floor, part) => part > 0 && floor > (floors[part - 1] as number)).length
  const isLasting = last - (floors[PARTS >> 1] as number) >= (last - first) / 4
  if (rises < PARTS - 2 || !isLasting) return undefined
  if (last < GROWTH_MIN * first || last - first < GROWTH_MIN_BYTES) return undefined
  const span = history.triggerTime - (known[0]?.time ?? 0)
  return {
    ...clueOf(known, `${name} grew from ${bytesText(first)} to ${bytesText(last)} in ${spanText(span)}`),
    subject: 'memory',
    filter: facilityTerm(HEALTH_FACILITY),
    score: scoreOf(8, 0.3 + effectOfRatio(last / Math.max(1, first)), 0.85),
  }
}

function busy(history: History, samples: readonly LogEvent[]): Clue | undefined {
  const shares = Float64Array.from(samples.slice(1), (sample, at) => {
    const elapsed = (sample.time - (samples[at]?.time ?? 0)) / 1000
    const used = (numberAt(sample, 'cpuUserMs') ?? 0) + (numberAt(sample, 'cpuSystemMs') ?? 0)
    return elapsed > 0 ? used / elapsed : 0
  })
  const shift = shiftIn(shares, { before: 5, after: 3 })
  if (shift === undefined || shift.strength < strengthMin(history)) return undefined
  const before = median(shares.subarray(0, shift.at))
  const now = median(shares.subarray(shift.at))
  if (now < BUSY || before > BUSY_BEFORE) return undefined
  const late = samples.slice(shift.at + 1)
  const lead = history.triggerTime - (late[0]?.time ?? history.triggerTime)
  const percent = (share: number) => `${Math.round(100 * share)} %`
  return {
    ...clueOf(late, `processor time ${percent(before)} → ${percent(now)} in the ${spanText(lead)} before`),
    subject: 'processor',
    filter: allOf(facilityTerm(HEALTH_FACILITY), sinceTerm(lead)),
    score: scoreOf(shift.strength, effectOfRatio(now / Math.max(0.02, before)), 0.85),
    since: late[0]?.time ?? history.triggerTime,
  }
}

function clueOf(
  samples: readonly LogEvent[],
  clause: string,
): Pick<Clue, 'kind' | 'text' | 'clause' | 'evidence' | 'seqs'> {
  return {
    kind: 'health',
    text: `process: ${clause}`,
    clause,
    evidence: [],
    seqs: samples.map(({ seq }) => seq),
  }
}

function numberAt({ fields }: LogEvent, name: string): number | undefined {
  const value = fields[name]
  return typeof value === 'number' ? value : undefined
}
