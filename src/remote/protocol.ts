import type { FlogErrorCode } from '../base/errors'
import type { IncidentSummary } from '../incident/header'
import type { Representation } from '../incident/name'
import type { About } from './source'

/**
 * The messages of the remote protocol as types; PROTOCOL.md says what they mean and when they may be sent.
 */

/** Versions that this side speaks, both included. */
export const VERSION_MIN = 1
export const VERSION_MAX = 1
/** Features that this side knows. A feature is in use when both sides name it. */
export const FEATURES: readonly string[] = ['fetch', 'incidents', 'tail', 'capture']
export const SUBPROTOCOL = 'flog'
/** Label for exported keying material (RFC 5705, RFC 8446 section 7.5). */
export const KEYING_LABEL = 'EXPERIMENTAL-flight-log-remote'
export const KEYING_BYTES = 32
export const NONCE_BYTES = 32
export const PROOF_BYTES = 32

/**
 * What the opener of the socket asks to be. `read` and `control` subscribe at the publisher that listens;
 * `publish` is a publisher that dialled out to a collector.
 */
export const ROLES = ['read', 'control', 'publish'] as const
export type Role = (typeof ROLES)[number]

export type HandshakeMessage =
  | {
      readonly type: 'hello'
      readonly min: number
      readonly max: number
      readonly features: readonly string[]
      readonly role: Role
      readonly nonce: Uint8Array
    }
  | {
      readonly type: 'challenge'
      readonly version: number
      readonly features: readonly string[]
      readonly nonce: Uint8Array
    }
  | { readonly type: 'proof'; readonly proof: Uint8Array }
  | { readonly type: 'welcome' }

/** From subscriber to publisher. */
export type Ask =
  | { readonly type: 'request'; readonly id: number; readonly method: string; readonly params: object }
  | { readonly type: 'credit'; readonly id: number; readonly messages: number }
  | { readonly type: 'cancel'; readonly id: number }

/** From publisher to subscriber. `result` and `error` end a request. */
export type Answer =
  | { readonly type: 'item'; readonly id: number; readonly item: object }
  | { readonly type: 'result'; readonly id: number; readonly result: unknown }
  | { readonly type: 'error'; readonly id: number; readonly code: FlogErrorCode; readonly message: string }

/** `allows`: what this connection may do; `control` adds capture to reading. */
export interface AboutResult extends About {
  readonly allows: 'read' | 'control'
  /** Whether there are rings to tail: a published directory has none. */
  readonly tail: boolean
}

export interface IncidentPage {
  /** Finished incidents that the cursor had not, oldest first. */
  readonly incidents: readonly IncidentSummary[]
  /** Incidents that are still open; they move no cursor. Only with the last page. */
  readonly open: readonly IncidentSummary[]
  /** Behind `incidents`. */
  readonly cursor: string
  readonly more: boolean
}

/** Names bytes exactly: what was offered, and what a fetch can be resumed by. */
export interface FetchOffer {
  readonly representation: Representation
  readonly size: number
  readonly sha256: string
}

/** Where the connection is closed by this side, and why (RFC 6455 section 7.4.2, private use). */
export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  tooLarge: 1009,
  malformed: 4400,
  unauthenticated: 4401,
  tooSlow: 4408,
  version: 4426,
  busy: 4429,
} as const

/** Characters of an error's message. */
export const MAX_MESSAGE_CHARS = 2000

/** Error codes that a publisher may send; any other from the wire becomes FLOG_REMOTE_FAILED. */
export const ANSWER_CODES: readonly FlogErrorCode[] = [
  'FLOG_CURSOR_INVALID',
  'FLOG_INCIDENT_UNKNOWN',
  'FLOG_INCIDENT_OPEN',
  'FLOG_REMOTE_BUSY',
  'FLOG_REMOTE_FAILED',
  'FLOG_REMOTE_FORBIDDEN',
  'FLOG_REMOTE_REQUEST',
  'FLOG_REMOTE_UNSUPPORTED',
]
