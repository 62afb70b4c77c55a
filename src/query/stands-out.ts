import type { Recording } from './recording'
import { defectClues } from './stands-out/defects'
import { durationClues } from './stands-out/duration'
import { errorClues } from './stands-out/errors'
import type { Clue, Finding } from './stands-out/finding'
import { firstSeenClues, occurrencesOf } from './stands-out/first-seen'
import { gapClues } from './stands-out/gaps'
import { healthClues } from './stands-out/health'
import { type History, historyOf } from './stands-out/history'
import { findingsOf } from './stands-out/merge'
import { type Onset, precedingClues } from './stands-out/preceding'
import { rateClues } from './stands-out/rate'
import { stallClues } from './stands-out/stall'
import { traceClues } from './stands-out/trace'
import { valueClues, withCommonValues } from './stands-out/values'

export type { Finding } from './stands-out/finding'

/**
 * What stands out in a recording, best first; empty where nothing does. Looks at the history up to the trigger alone: what
 * changed in it, what is new in it, and what those events that failed have in common.
 *
 * Every detector asks for two things: that chance would hardly do it, paid for by how many things were compared, and that it is
 * large enough to matter. All of them know how far back each ring reaches.
 */
export function whatStandsOut(recording: Recording): readonly Finding[] {
  const history = historyOf(recording)
  const occurrences = occurrencesOf(history)
  const errors = errorClues(history)
  const changes: readonly Clue[] = [
    ...errors,
    ...withCommonValues(history, [...durationClues(history), ...firstSeenClues(history, occurrences)]),
    ...rateClues(history),
    ...gapClues(history),
    ...healthClues(history),
    ...stallClues(history),
  ]
  const onset = onsetOf(history, changes)
  return findingsOf(history, [
    ...changes,
    ...traceClues(history),
    ...(onset === undefined ? [] : precedingClues(history, occurrences, onset)),
    ...(errors.length === 0 && history.isAsked ? [] : valueClues(history, firstOf(errors))),
    ...defectClues(history),
  ])
}

/** What is said of something that came right before a trigger, where nothing else says that something was wrong. */
const SCORE_AT_TRIGGER = 40

/** When it began to go wrong: with the earliest change, or else with the trigger. A rate does not tell it to the second. */
function onsetOf({ isAsked, triggerTime }: History, changes: readonly Clue[]): Onset | undefined {
  const first = changes.reduce<Clue | undefined>((earliest, clue) => {
    if (clue.since === undefined || clue.kind === 'rate' || clue.score < SCORE_AT_TRIGGER) return earliest
    return earliest?.since === undefined || clue.since < earliest.since ? clue : earliest
  }, undefined)
  if (first?.since !== undefined) {
    const best = changes.reduce((most, { score }) => Math.max(most, score), 0)
    return { time: first.since, score: 0.95 * best, what: 'that began' }
  }
  return isAsked ? undefined : { time: triggerTime, score: SCORE_AT_TRIGGER, what: 'the trigger' }
}

/** From when on what failed is looked at; all of it where the share of failures did not change. */
function firstOf(errors: readonly Clue[]): number {
  if (errors.length === 0) return Number.NEGATIVE_INFINITY
  return errors.reduce((first, { since }) => Math.min(first, since ?? first), Number.POSITIVE_INFINITY)
}
