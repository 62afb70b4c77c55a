import { invalidOption } from '../base/errors'
import type { SeverityName } from './severity'
import { DEBUG, ERROR, FATAL, INFO, parseSeverity, severityOf, TRACE, WARN } from './severity'

/**
 * Severities of a winston table of levels, where a lower number is more severe: npm's, syslog's, cli's, or
 * the user's own.
 *
 * 1. A name in `explicit` has the severity given there, even one that contradicts its rank (an audit level
 *    that is always written need not be an error); the others then go by their own names and ranks.
 * 2. A name with a known meaning has that one, as long as it agrees with the ranks of the others; where some
 *    contradict each other, the fewest possible lose theirs, and the six plain names lose last.
 * 3. Any other name lies between its neighbours by rank, spread evenly; beyond the last neighbour, towards
 *    the end of the scale. Where no name is known, the ranks are spread from error down to debug (at most
 *    four of them) or over more of the scale (above that); a single level is info.
 *
 * So a more severe rank never gets a lower severity, except where `explicit` says so itself.
 *
 * @param levels the logger's `levels`; a rank that is no number counts as the least severe
 * @throws FlogError FLOG_OPTION_INVALID for a severity in `explicit` that is none, or a name there that
 *   `levels` lacks
 */
export function winstonSeverities(
  levels: Readonly<Record<string, number>>,
  explicit: Readonly<Record<string, SeverityName | number>> = {},
): Map<string, number> {
  const ranked = byRank(levels, readExplicit(levels, explicit))
  const anchors = consistentAnchors(ranked)
  const severities = anchors.length === 0 ? spreadUnknown(ranked) : fillBetween(ranked, anchors)
  for (const { name, explicit } of ranked) if (explicit !== undefined) severities.set(name, explicit)
  return severities
}

interface RankedLevel {
  readonly name: string
  /** 0 for the most severe, 1 for the next, …; the same for levels of equal rank. */
  readonly step: number
  readonly explicit: number | undefined
  /** What the name says, or the explicit map. */
  readonly known: number | undefined
}

interface Anchor {
  readonly step: number
  readonly severity: number
  readonly name: string
}

/**
 * An explicit severity stands in any case; as a neighbour it counts least, for it may be out of order on
 * purpose.
 */
const EXPLICIT_WEIGHT = 1
const OTHER_WEIGHT = 2
const PLAIN_WEIGHT = 3
const PLAIN_NAMES: ReadonlySet<string> = new Set([
  'fatal',
  'error',
  'warn',
  'warning',
  'info',
  'debug',
  'trace',
])

/** For up to six levels of unknown names: the severities that loggers with so few levels usually have. */
const SPREADS: readonly (readonly number[])[] = [
  [],
  [INFO],
  [ERROR, INFO],
  [ERROR, WARN, INFO],
  [ERROR, WARN, INFO, DEBUG],
  [ERROR, WARN, INFO, DEBUG, TRACE],
  [FATAL, ERROR, WARN, INFO, DEBUG, TRACE],
]

function readExplicit(
  levels: Readonly<Record<string, number>>,
  explicit: Readonly<Record<string, SeverityName | number>>,
): ReadonlyMap<string, number> {
  const read = new Map<string, number>()
  for (const [name, value] of Object.entries(explicit)) {
    if (!Object.hasOwn(levels, name)) {
      throw invalidOption(
        'severities',
        `names of the logger's levels (${Object.keys(levels).join(', ')})`,
        name,
      )
    }
    read.set(name, parseSeverity(`severities.${name}`, value))
  }
  return read
}

function byRank(
  levels: Readonly<Record<string, number>>,
  explicit: ReadonlyMap<string, number>,
): readonly RankedLevel[] {
  const ranks = new Map(
    Object.entries(levels).map(([name, rank]) => [name, Number.isNaN(+rank) ? Infinity : +rank]),
  )
  const steps = new Map(
    [...new Set(ranks.values())].sort((a, b) => (a < b ? -1 : 1)).map((rank, step) => [rank, step]),
  )
  return [...ranks]
    .map(([name, rank]) => ({
      name,
      step: steps.get(rank) ?? 0,
      explicit: explicit.get(name),
      known: explicit.get(name) ?? severityOf(name),
    }))
    .sort((a, b) => a.step - b.step || (b.known ?? 0) - (a.known ?? 0))
}

/**
 * The heaviest run of known levels whose severities never rise from one rank to the next; ties go to the
 * earlier one.
 */
function consistentAnchors(ranked: readonly RankedLevel[]): readonly Anchor[] {
  const runs: { readonly anchors: readonly Anchor[]; readonly severity: number; readonly weight: number }[] =
    []
  for (const level of ranked) {
    if (level.known === undefined) continue
    const { name, step, known: severity } = level
    let before = { anchors: [] as readonly Anchor[], weight: 0 }
    for (const run of runs) if (run.severity >= severity && run.weight > before.weight) before = run
    const anchors = [...before.anchors, { name, step, severity }]
    runs.push({ anchors, severity, weight: before.weight + weightOf(level) })
  }
  return runs.reduce((best, run) => (run.weight > best.weight ? run : best), {
    anchors: [] as readonly Anchor[],
    weight: 0,
  }).anchors
}

function weightOf(level: RankedLevel): number {
  if (level.explicit !== undefined) return EXPLICIT_WEIGHT
  return PLAIN_NAMES.has(level.name.toLowerCase()) ? PLAIN_WEIGHT : OTHER_WEIGHT
}

function fillBetween(ranked: readonly RankedLevel[], anchors: readonly Anchor[]): Map<string, number> {
  const anchored = new Map(anchors.map((anchor) => [anchor.name, anchor.severity]))
  const lastStep = ranked.at(-1)?.step ?? 0
  const severities = new Map<string, number>()
  for (const { name, step } of ranked) {
    severities.set(name, anchored.get(name) ?? interpolate(step, anchors, lastStep))
  }
  return severities
}

function interpolate(step: number, anchors: readonly Anchor[], lastStep: number): number {
  const same = anchors.find((anchor) => anchor.step === step)
  if (same !== undefined) return same.severity
  const above = anchors.findLast((anchor) => anchor.step < step) ?? { step: -1, severity: 25 }
  const below = anchors.find((anchor) => anchor.step > step) ?? { step: lastStep + 1, severity: 0 }
  const part = (step - above.step) / (below.step - above.step)
  return Math.min(24, Math.max(1, Math.round(above.severity + part * (below.severity - above.severity))))
}

function spreadUnknown(ranked: readonly RankedLevel[]): Map<string, number> {
  const steps = (ranked.at(-1)?.step ?? -1) + 1
  const spread = SPREADS[steps]
  return new Map(
    ranked.map(({ name, step }) => [
      name,
      spread?.[step] ?? Math.round(FATAL - (step * (FATAL - TRACE)) / (steps - 1)),
    ]),
  )
}
