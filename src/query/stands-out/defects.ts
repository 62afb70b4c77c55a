import { allOf, facilityTerm } from './expression'
import type { Clue } from './finding'
import type { History } from './history'
import { counted, spanText } from './wording'

/** A ring that reaches back less says little of what came before. */
const SHORT_US = 10_000_000
/** What the recording lacks never stands before what it shows, unless it is most of it. */
const SCORE = { lost: 30, damaged: 28, clock: 25, short: 15, suppressed: 12, cut: 8 } as const

/** What the recording itself lacks. */
export function defectClues(history: History): readonly Clue[] {
  return [
    ...lostEvents(history),
    ...damage(history),
    ...clockJumps(history),
    ...shortRings(history),
    ...suppressed(history),
    ...cutEvents(history),
  ]
}

function lostEvents({ recording: { trailer } }: History): readonly Clue[] {
  const lost = trailer?.lost ?? 0
  if (lost === 0) return []
  return [
    defect(
      'lost',
      `${counted(lost, 'event')} after the trigger could not be written to the disk`,
      SCORE.lost,
    ),
  ]
}

function damage({ recording: { verdict } }: History): readonly Clue[] {
  if (verdict === undefined || verdict.state === 'whole' || verdict.state === 'open') return []
  const { state, eventsLost } = verdict
  const loss = eventsLost === undefined ? 'events are missing' : `${counted(eventsLost, 'event')} lost`
  if (eventsLost === 0) return []
  return [defect('damage', `the file is ${state}, ${loss}`, SCORE.damaged)]
}

function clockJumps({ recording: { events } }: History): readonly Clue[] {
  const jumps = events.filter(({ event }) => event.facility === 'flog.clock').map(({ event }) => event)
  const worst = jumps.reduce((most, { fields }) => {
    const ms = fields['ms']
    return typeof ms === 'number' && Math.abs(ms) > Math.abs(most) ? ms : most
  }, 0)
  if (worst === 0) return []
  const times = jumps.length === 1 ? '' : `, ${jumps.length} times in all`
  const text = `the wall clock moved by ${worst < 0 ? '−' : ''}${spanText(worst * 1000)}${times}: times before and after cannot be compared`
  const clue = defect('clock', text, SCORE.clock, facilityTerm('flog.clock'))
  return [{ ...clue, seqs: jumps.map(({ seq }) => seq) }]
}

function shortRings({ recording: { header }, triggerTime }: History): readonly Clue[] {
  const short = (header?.rings ?? []).filter(
    ({ evicted, oldest, thread }) =>
      thread === 0 && evicted > 0 && oldest > 0 && triggerTime - oldest < SHORT_US,
  )
  if (short.length === 0) return []
  const each = short.map(
    ({ severity, facility, oldest }) =>
      `${facility === '' ? '' : `${facility} `}${severity} ${spanText(Math.max(0, triggerTime - oldest))}`,
  )
  return [
    defect('short', `short history: ${each.join(', ')} (a larger ring reaches back further)`, SCORE.short),
  ]
}

function suppressed({ recording: { header } }: History): readonly Clue[] {
  const { perHour = 0, perFingerprint = 0, coolDown = 0 } = header?.suppressed ?? {}
  const count = perHour + perFingerprint + coolDown
  if (count === 0) return []
  return [
    defect(
      'suppressed',
      `${counted(count, 'incident')} before this one held back by the limits`,
      SCORE.suppressed,
    ),
  ]
}

function cutEvents({ events }: History): readonly Clue[] {
  const cut = events.flatMap((event, place) => (event.cut === undefined ? [] : [place]))
  if (cut.length === 0 || cut.length < events.length / 20) return []
  const text = `${counted(cut.length, 'event')} of ${events.length} cut, too long for the limit of one event`
  return [{ ...defect('cut', text, SCORE.cut, allOf('has:cut')), evidence: cut }]
}

function defect(subject: string, text: string, score: number, filter?: string): Clue {
  return {
    kind: 'recording',
    subject: `recording ${subject}`,
    text: `recording: ${text}`,
    evidence: [],
    score,
    ...(filter !== undefined && { filter }),
  }
}
