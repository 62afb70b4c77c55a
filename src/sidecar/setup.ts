import type { FinishedIncident } from '../incident/finish'
import type { HeaderOrigin, IncidentHeader, PostTriggerOptions } from '../incident/header'
import type { LimitOptions } from '../incident/limits'
import type { PublishOptions } from '../remote/publish-process'
import type { PublisherStats } from '../remote/publisher'
import type { Member } from '../ring/roster'
import type { Failure } from './calls'

/** What the second thread is given when it starts; all of it can be cloned. */
export interface SidecarSetup {
  readonly control: SharedArrayBuffer
  readonly desk: SharedArrayBuffer
  /** On which threads join and leave, and those that had joined when this thread began. */
  readonly channel: string
  readonly members: readonly Member[]
  readonly origin: HeaderOrigin
  /** Microseconds since the epoch at which the recorder began. */
  readonly startedAt: number
  readonly directory: DirectorySetup
  readonly report: ReportSetup
  readonly limits: LimitOptions
  /** What can be told to another thread: names, paths and patterns, not functions. */
  readonly redactions: { readonly defaults: boolean; readonly also: readonly (string | RegExp)[] }
  /** Signs of life that the app thread had given before this thread began. */
  readonly beatsBefore: number
  /** Milliseconds without a turn of the app's event loop that make a stall; 0 for no watchdog. */
  readonly stallMs: number
  readonly blackBox: BlackBoxSetup | undefined
}

export interface DirectorySetup {
  readonly path: string
  readonly fileMode: number
  readonly quota: { readonly maxBytes: number; readonly maxIncidents: number }
}

/** The declarative part of a reporter: a subclass is user code, and stays in its thread. */
export interface ReportSetup {
  readonly postTrigger: PostTriggerOptions
  readonly cap: PostTriggerOptions
  readonly historyBytes: number | undefined
  readonly durable: boolean
}

export interface BlackBoxSetup {
  readonly directory: DirectorySetup
  /** Incident id that was reserved for it. */
  readonly id: string
  readonly guard: SharedArrayBuffer
}

/** A publisher that runs in the second thread. */
export interface Published {
  readonly publisher: number
  readonly url: string
  readonly controlUrl: string
  readonly port: number
  readonly logportFile: string
  readonly controlLogportFile: string
}

/** A connection that a publisher in the second thread is to make, and make again. */
export interface DialledTo {
  readonly publisher: number
  /** What it is known by in both threads. */
  readonly dialled: number
  readonly logport: string
  readonly allow?: 'read' | 'control'
}

export type DialledState =
  | { readonly kind: 'connected' }
  | { readonly kind: 'waiting'; readonly ms: number; readonly failure: Failure }

/** What the second thread does when it is asked. */
export type SidecarService = {
  readonly publish: (options: PublishOptions) => Promise<Published>
  readonly dialOut: (to: DialledTo) => void
  readonly hangUp: (dialled: number) => Promise<void>
  readonly unpublish: (publisher: number) => Promise<void>
  /** Compresses and verifies the plain file of a closed incident, and keeps the directory within its quota. */
  readonly finish: (path: string) => Promise<FinishedIncident>
  /** Settles when the incidents of this thread whose window is over are finished, or were refused by the disk once more. */
  readonly idle: (nothing: undefined) => Promise<void>
  /** Ends what is open and removes the black box. */
  readonly close: (nothing: undefined) => Promise<void>
}

/** What the thread of the recorder does when it is asked, or told. */
export type AppService = {
  readonly ready: (nothing: undefined) => void
  /** @param ticket one word: 0 until one of the two threads takes it, so that only one of them reports */
  readonly capture: (wish: {
    readonly reason: string
    readonly ticket: SharedArrayBuffer
  }) => string | undefined
  readonly opened: (incident: { readonly header: IncidentHeader; readonly path: string | undefined }) => void
  readonly closed: (incident: {
    readonly id: string
    readonly finished: FinishedIncident | undefined
  }) => void
  readonly dialled: (told: { readonly dialled: number; readonly state: DialledState }) => void
  readonly trouble: (failure: Failure) => void
  readonly recovered: (code: NonNullable<Failure['code']>) => void
  readonly stats: (stats: SidecarStats) => void
}

export interface SidecarStats {
  readonly publishers: Readonly<Record<number, PublisherStats>>
  /** Times that the disk refused the black box, and events that were overwritten before they could be copied. */
  readonly blackBox: { readonly refused: number; readonly overruns: number } | undefined
  readonly stalls: number
}

/** Threads as the desk knows them: the recorder's, the second one, and workers from there on. */
export const DESK_APP = 1
export const DESK_SIDECAR = 2
