import { isoMicros } from '../../base/clock'
import { messageOf } from '../../base/errors'
import { isPromise } from './promised'
import type { PartRecord } from './record'
import type { PartState } from './run'

/** Plain data: made for people, JSON and the wire. */
export interface EngineReport {
  readonly state: 'started' | 'stopping' | 'stopped'
  /** What `wait` rejects with, or will. */
  readonly error?: string
  /** Why it stops: what `kill` was given, or the first fatal error. */
  readonly reason?: string
  readonly manifolds: Readonly<Record<string, PartReport>>
}

export interface PartReport {
  readonly state: PartState
  readonly inputs: readonly string[]
  readonly soft: readonly string[]
  /** Why it does not run, or why it last stopped. */
  readonly error?: string
  readonly 'start-count': number
  /** ISO 8601, when it last started. */
  readonly started?: string
  /** Within the last minute; 100 stands for more, too. */
  readonly restarts: number
  /** Failures in a row. */
  readonly failures: number
  /** Milliseconds that it waits before it starts. */
  readonly 'delay-ms'?: number
  /** It was removed because of its error, and is listed until a part of that name is installed again. */
  readonly killed?: true
  /** What the worker says of itself. */
  readonly report?: unknown
}

export function partReport(part: PartRecord, now: number): PartReport {
  const { run, hard } = part
  const report = reportOf(part)
  return {
    state: part.state,
    inputs: hard,
    soft: part.inputs.filter((name) => !hard.includes(name)),
    ...(part.error === undefined ? {} : { error: messageOf(part.error) }),
    'start-count': part.starts,
    ...(part.startedAt === undefined ? {} : { started: isoMicros(part.startedAt) }),
    restarts: part.restartsSince(now),
    failures: part.failures,
    ...(run?.state === 'waiting' ? { 'delay-ms': run.plan.delayMs } : {}),
    ...(part.killed ? { killed: true } : {}),
    ...(report === undefined ? {} : { report }),
  }
}

/** A worker whose report throws says so there. */
function reportOf({ run }: PartRecord): unknown {
  try {
    const report = run?.worker?.report?.()
    if (!isPromise(report)) return report
    report.then(undefined, () => {})
    return { error: 'a report must be there at once, not promised' }
  } catch (error) {
    return { error: messageOf(error) }
  }
}
