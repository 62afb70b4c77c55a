import { isoMicros } from '../../base/clock'
import type { Json, PlainError } from './plain'

/** From quiet to loud. */
export const LEVELS = ['debug', 'info', 'warning', 'error'] as const
export type Level = (typeof LEVELS)[number]
/** From which level on something is shown or sent; `none` is above all levels. */
export type Threshold = Level | 'none'

export const KINDS = ['error', 'info', 'action'] as const
/** `action`: somebody waits for a decision. */
export type Kind = (typeof KINDS)[number]

/**
 * What a part is told to do about an error. `continue` and `retry` (after `delayMs`) are for the part itself, the others for
 * the engine that runs it: start it anew, leave it down, or end everything in order.
 */
export const ACTIONS = ['continue', 'retry', 'restart', 'kill', 'escalate'] as const
export type Action = (typeof ACTIONS)[number]

export interface Decision {
  readonly action: Action
  /** Milliseconds to wait before it is carried out. */
  readonly delayMs?: number
  /** For people. */
  readonly reason: string
}

/** Of what does not say which part it is of. */
export const UNKNOWN_PART = 'unknown'

/** What a part has to say. */
export interface ErrorReport {
  /** Name of the part, of which there are few: it labels metrics. */
  readonly part: string
  /** Default `error`. */
  readonly kind?: Kind
  /** Default `info` for the kind `info`, else `error`. */
  readonly level?: Level
  /** Whatever was thrown; for the kind `info` a text. */
  readonly error?: unknown
  /** What the part was at: a message, an incident. Kept capped and redacted. */
  readonly work?: unknown
  /** True keeps it on this node. */
  readonly noForward?: boolean
}

/** What the kernel made of a report. Plain values only: nothing of what was thrown is held. */
export interface SeenEvent {
  /** Unique among all nodes. */
  readonly id: string
  readonly node: string
  readonly part: string
  readonly kind: Kind
  readonly level: Level
  /** Microseconds since the epoch. */
  readonly time: number
  /** Of the last occurrence, where several are folded into this one. */
  readonly lastTime: number
  /** Occurrences that this stands for. */
  readonly repeat: number
  readonly message: string
  readonly fingerprint: string
  readonly error?: PlainError
  readonly work?: Json
  readonly decision?: Decision
  readonly noForward: boolean
}

/** An event as it is sent and written: one JSON object. Times are ISO 8601 in UTC with microseconds. */
export interface ErrorRow {
  readonly id: string
  readonly node: string
  readonly part: string
  readonly kind: Kind
  readonly level: Level
  readonly time: string
  readonly lastTime?: string
  readonly repeat: number
  readonly message: string
  readonly fingerprint: string
  readonly error?: PlainError
  readonly work?: Json
  readonly action?: Action
  readonly reason?: string
}

/** What a report says; or that it cannot be read. */
export function readReport(report: Omit<ErrorReport, 'part'> & { readonly part?: string }): ErrorReport {
  try {
    const { part = UNKNOWN_PART, kind, level, error, work, noForward } = report
    return {
      ...{ part, error, work },
      ...(kind !== undefined && { kind }),
      ...(level !== undefined && { level }),
      ...(noForward !== undefined && { noForward }),
    }
  } catch {
    return { part: UNKNOWN_PART, error: 'a report that cannot be read' }
  }
}

/** Whether a level is at or above a threshold. */
export function reaches(level: Level, threshold: Threshold): boolean {
  return threshold !== 'none' && LEVELS.indexOf(level) >= LEVELS.indexOf(threshold)
}

export function rowOf(event: SeenEvent): ErrorRow {
  const { id, node, part, kind, level, time, lastTime, repeat, message, fingerprint } = event
  const { error, work, decision } = event
  return {
    ...{ id, node, part, kind, level, time: isoMicros(time) },
    ...(repeat > 1 && { lastTime: isoMicros(lastTime) }),
    ...{ repeat, message, fingerprint },
    ...(error !== undefined && { error }),
    ...(work !== undefined && { work }),
    ...(decision !== undefined && { action: decision.action, reason: decision.reason }),
  }
}

/** The decision that something is, as a copy: what is read twice may answer twice. Undefined where it cannot be carried out. */
export function decisionOf(value: unknown): Decision | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { action, delayMs, reason } = value as Partial<Record<keyof Decision, unknown>>
  const known = ACTIONS.find((one) => one === action)
  if (known === undefined || typeof reason !== 'string') return undefined
  if (delayMs === undefined) return { action: known, reason }
  const isDelay = typeof delayMs === 'number' && Number.isFinite(delayMs) && delayMs >= 0
  return isDelay ? { action: known, delayMs, reason } : undefined
}
