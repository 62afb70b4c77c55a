import type { IncidentState } from '../incident/header'

/** Where a page gets what it shows. Times are microseconds since the epoch. */
export interface ViewerSource {
  /** What is there now. */
  describe(): Promise<SourceAnswer>
  /**
   * The bytes of one incident file, as they are.
   * @throws FlogError FLOG_INCIDENT_UNKNOWN; what reading files throws
   */
  open(id: string): Promise<AsyncIterable<Uint8Array>>
  /** What a process logs, where one is followed; ends at the signal. */
  follow?(signal: AbortSignal): AsyncIterable<LiveItem>
}

/** `file`: one incident. `directory`: a list to choose from. `live`: a process that is followed. */
export interface SourceAnswer {
  readonly kind: 'file' | 'directory' | 'live'
  /** For the page's title. */
  readonly name: string
  /** The incident that was asked for; absent where there is a choice, or nothing to choose from. */
  readonly opens?: string
  /** Oldest first; besides the one that was asked for those of its directory. */
  readonly incidents: readonly IncidentEntry[]
  /** What is wrong with files that could not be listed. */
  readonly unreadable: readonly string[]
  /** Plain bytes of one incident at which the page stops; its own limit where nobody named another. */
  readonly maxPlainBytes?: number
}

export interface IncidentEntry {
  readonly id: string
  readonly state: IncidentState
  readonly openedAt: number
  readonly service: string
  readonly host: string
  readonly severity: number
  readonly facility: string
  /** Filled in. */
  readonly message: string
  readonly fingerprint: string
  /** Absent where the file has no trailer. */
  readonly events?: number
  readonly bytes: number
}

export type LiveItem =
  /** A MessagePack list of events, as a file would have them. */
  | { readonly kind: 'events'; readonly bytes: Uint8Array }
  /** Events that were overwritten before they could be had. */
  | { readonly kind: 'missed'; readonly count: number }
  | { readonly kind: 'restarted' }
  | { readonly kind: 'connected'; readonly to: string }
  | { readonly kind: 'lost'; readonly reason: string }
