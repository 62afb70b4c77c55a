import type { ProcessIdentity } from '../base/process-identity'
import type { LogEvent, PlainObject, TriggerKind } from '../event/event'
import type { RingState } from '../ring/layout'

/** File format that this version writes. A reader takes any minor version of a major version that it knows. */
export const FORMAT_MAJOR = 1
export const FORMAT_MINOR = 0

/** First block of an incident file, written when the incident opens. Times are microseconds since the epoch. */
export interface IncidentHeader {
  readonly type: 'incident'
  /** `1.0` */
  readonly format: string
  /** Unique for ever: `<incarnation>-<number>`. */
  readonly id: string
  /** 16 hexadecimal digits, random per process start. */
  readonly incarnation: string
  /** 1, 2, 3 … within the incarnation. */
  readonly number: number
  readonly openedAt: number
  readonly trigger: TriggerRecord
  readonly service: string
  /** The service's own version; empty where it was not given. */
  readonly version: string
  /** Which of the service's processes it was, where there are several. */
  readonly label?: string
  readonly host: string
  readonly pid: number
  readonly process: ProcessIdentity
  /** `node`, `flog`, and whatever the application adds. */
  readonly versions: Readonly<Record<string, string>>
  readonly argv?: readonly string[]
  /** The rings at the trigger: what they hold and what they had to let go. */
  readonly rings: readonly RingState[]
  readonly suppressed: SuppressedCounts
  readonly postTrigger: PostTriggerOptions
  /** Id of the incident that this one belongs to, where one process had to write two. */
  readonly relatedTo?: string
  /** What a reporter subclass adds. */
  readonly extra?: PlainObject
  /** The programs that made this file of another one, in their order; absent where it is as it was recorded. */
  readonly rewritten?: readonly RewriteMark[]
}

/** What was done to a file after it was recorded. */
export interface RewriteMark {
  readonly by: 'filter' | 'scrub' | 'import'
  /** Microseconds since the epoch. */
  readonly at: number
  /** Version of flight-log that did it. */
  readonly flog: string
  /** `filter`: the events that it kept, in the grammar of `flog filter`. */
  readonly filter?: string
  /** `scrub`: the names and paths of the fields that it took out. */
  readonly fields?: readonly string[]
  /** `scrub`: how many patterns; not which, since a pattern may be the secret itself. */
  readonly patterns?: number
}

/** What a header says of the process, whatever happened in it. */
export type HeaderOrigin = Omit<IncidentHeader, 'type' | 'format' | 'id' | 'rewritten' | keyof HeaderOwn>

/** What it says of the incident. */
export type HeaderOwn = Pick<
  IncidentHeader,
  'number' | 'openedAt' | 'trigger' | 'rings' | 'suppressed' | 'postTrigger' | 'relatedTo' | 'extra'
>

/** What set the incident off. The event is here whole, even if the copy among the events had to be cut. */
export interface TriggerRecord {
  readonly kind: TriggerKind
  /** Why the qualifier qualified it, or what the operator said. */
  readonly reason: string
  /** Incidents with the same fingerprint are the same trouble. */
  readonly fingerprint: string
  readonly event: LogEvent
}

/** Incidents that qualified and were not recorded, since the last recorded one, by what held them back. */
export interface SuppressedCounts {
  readonly perHour: number
  readonly perFingerprint: number
  readonly coolDown: number
}

export interface PostTriggerOptions {
  /** Events after the trigger; whichever of the two comes first ends the window. */
  readonly events: number
  readonly ms: number
}

/** Last block, written when the incident closes. A file without it is truncated, or still open. */
export interface IncidentTrailer {
  readonly closedAt: number
  readonly reason: CloseReason
  /** Events in the file: all, those up to and including the trigger, those after it. */
  readonly events: { readonly total: number; readonly history: number; readonly after: number }
  readonly furtherTriggers: readonly FurtherTrigger[]
  /** Further triggers that are not listed because there were too many. */
  readonly furtherTriggersOmitted: number
  /** Events that the window missed, because the disk refused them. */
  readonly lost: number
  readonly extra?: PlainObject
  /** In a file that was made of another one: what was read of that. */
  readonly source?: SourceRecord
}

export interface SourceRecord {
  /** Events that were read; those that are missing here were left out on purpose. */
  readonly events: number
  /** Whether the other file was `whole`, `open`, `truncated` or `corrupt`. */
  readonly state: string
  /** Events that were lost with what was damaged; absent where nobody knows. */
  readonly lost?: number
}

/**
 * `events`, `time`: the window ended that way. `cap`: further triggers would have extended it past its cap. `closed`: the
 * recorder was closed. `exit`: the process ended. `adopted`: the process died and another one finished the file.
 */
export type CloseReason = 'events' | 'time' | 'cap' | 'closed' | 'exit' | 'adopted' | 'no-window'

export interface FurtherTrigger {
  readonly seq: number
  readonly time: number
  readonly kind: TriggerKind
  readonly reason: string
  readonly fingerprint: string
}

export type IncidentState = 'open' | 'finished'

/** What a list shows of an incident; made from header and trailer alone. */
export interface IncidentSummary {
  readonly id: string
  readonly incarnation: string
  readonly number: number
  /** `open`: plain file, perhaps still growing. `finished`: compressed and verified. */
  readonly state: IncidentState
  readonly openedAt: number
  /** Absent while the incident is open, and where the file has no trailer. */
  readonly closedAt?: number
  readonly closeReason?: CloseReason
  readonly trigger: TriggerRecord
  readonly service: string
  readonly version: string
  readonly label?: string
  readonly host: string
  readonly pid: number
  readonly versions: Readonly<Record<string, string>>
  readonly events?: { readonly total: number; readonly history: number; readonly after: number }
  readonly furtherTriggers: number
  /** Bytes of the file on disk. */
  readonly bytes: number
}
