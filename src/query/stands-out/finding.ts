/**
 * What a finding is about.
 *
 * `trace`: the first error of the trigger's trace. `first-seen`: a message that came up shortly before the trigger, or before
 * something began to fail. `rate`, `duration`, `errors`: a facility that logged more or less, took longer, or failed more often
 * than before. `value`: a field value that most of what failed has. `health`: the process itself. `gap`: nothing was logged.
 * `stall`: where the event loop was stuck.
 * `recording`: what the recording lacks.
 */
type FindingKind =
  | 'trace'
  | 'first-seen'
  | 'rate'
  | 'duration'
  | 'errors'
  | 'value'
  | 'health'
  | 'gap'
  | 'stall'
  | 'recording'

/** Something that is not as it was, with its evidence. */
export interface Finding {
  readonly kind: FindingKind
  /** One line of plain text. May hold logged text: whoever shows it escapes it. */
  readonly text: string
  /** `seq` of the events that show it, in their order in time; at most 1000. */
  readonly evidence: readonly number[]
  /** Events that show it, also those that `evidence` has no room for. */
  readonly count: number
  /** Shows the evidence; in the grammar of the filter. */
  readonly filter?: string
  /** The higher, the more it stands out; between 0 and 100. */
  readonly score: number
}

/** What a detector found, before it is compared with what the others found. */
export interface Clue {
  readonly kind: FindingKind
  /** What it is about. Clues of one subject become one line. */
  readonly subject: string
  readonly text: string
  /** How it is said behind another clue of the same subject or of the same events; absent where that adds nothing. */
  readonly clause?: string
  /** Places in {@link History.events}, ascending. */
  readonly evidence: readonly number[]
  /** Evidence that is not among those: samples of health, and what the recorder itself logged. */
  readonly seqs?: readonly number[]
  readonly filter?: string
  readonly score: number
  /** When it began, in microseconds since the epoch; absent where it has no beginning. */
  readonly since?: number
}

/** Below that, chance would explain it in one recording of a thousand or so; what is compared often has to pay for it. */
const STRENGTH_MIN = 4
/** Where something set the recording off, something is wrong, and less has to be proved. */
const STRENGTH_MIN_TRIGGERED = 2.5
const STRENGTH_FULL = 12

/** What a change has to have for being told. */
export function strengthMin({ isAsked }: { readonly isAsked: boolean }): number {
  return isAsked ? STRENGTH_MIN : STRENGTH_MIN_TRIGGERED
}

/**
 * The common measure: how sure it is, and how much it is.
 * @param strength −log10 of the probability that it is chance
 * @param effect how large the change is, from 0 to 1
 * @param weight what the kind is worth to somebody who looks for a cause, from 0 to 1
 */
export function scoreOf(strength: number, effect: number, weight: number): number {
  const sure = Math.min(1, Math.max(0, strength) / STRENGTH_FULL)
  return 100 * weight * Math.sqrt(sure * Math.min(1, Math.max(0, effect)))
}

/** Effect of a ratio: 0 for 1, 1 from 64 on. */
export function effectOfRatio(ratio: number): number {
  return Math.min(1, Math.abs(Math.log2(ratio)) / 6)
}
