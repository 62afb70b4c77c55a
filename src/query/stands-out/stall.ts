import { ownFrame } from '../../event/stack'
import type { Clue } from './finding'
import type { History } from './history'

/** Nothing is nearer to the cause than the line of code itself. */
const SCORE = 99

/** Where the event loop was stuck, when that set the recording off and its stack could be had. */
export function stallClues({ recording: { header }, triggerTime }: History): readonly Clue[] {
  if (header?.trigger.kind !== 'stall') return []
  const { event } = header.trigger
  const { stack } = event.fields
  const frame = typeof stack === 'string' ? ownFrame(stack) : undefined
  if (frame === undefined) return []
  const clause = `the event loop was stuck in ${frame}`
  const since = triggerTime - stuckMicros(event.fields['ms'])
  return [
    {
      kind: 'stall',
      subject: 'event loop',
      text: clause,
      clause,
      evidence: [],
      seqs: [event.seq],
      score: SCORE,
      since,
    },
  ]
}

function stuckMicros(ms: unknown): number {
  return typeof ms === 'number' && ms > 0 ? ms * 1000 : 0
}
