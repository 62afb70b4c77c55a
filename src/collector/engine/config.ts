import { type Clock, SystemClock } from '../../base/clock'
import { invalidOption } from '../../base/errors'
import {
  ENGINE_BACKOFF_FACTOR,
  ENGINE_BACKOFF_RESET_MS,
  ENGINE_BOUNCE_DELAY_MS,
  ENGINE_DECISION_MS,
  ENGINE_ERROR_DELAY_MS,
  ENGINE_JITTER,
  ENGINE_MAX_DELAY_MS,
  ENGINE_START_MS,
  ENGINE_STOP_MS,
} from '../../base/limits'
import { type Random, systemRandom } from '../../base/random'
import type { BackoffOptions } from './backoff'

export type Action = 'continue' | 'retry' | 'restart' | 'kill' | 'escalate'

/** What becomes of a part that ended with an error; the hook decides, the engine executes. */
export interface Decision {
  /**
   * - `continue`: as if it had completed, it is started again when an input comes or goes;
   * - `retry`: started again after `delayMs`, or else `errorDelayMs`, without lengthening the next delay;
   * - `restart`: started again after the delay of the backoff, or `delayMs` where that is longer;
   * - `kill`: removed, and kept in the report as killed until a part of that name is installed again; one that was
   *   abandoned keeps its name until its worker is gone;
   * - `escalate`: fatal, the whole engine stops in order.
   */
  readonly action: Action
  readonly delayMs?: number
  readonly reason?: string
}

export interface PartErrorContext {
  readonly phase: 'start' | 'run' | 'stop'
  readonly attempt: number
  /** In a row, this one included. */
  readonly failures: number
  /** Restarts within the last minute. */
  readonly restarts: number
  /** The answer changes nothing any more: the error is fatal, or the engine is stopping already. */
  readonly final: boolean
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

export interface EngineMetrics {
  /** A worker came: how long it was held back, and how long its start took, in milliseconds. */
  started?(part: string, times: { readonly delayMs: number; readonly startMs: number }): void
  /** A start or worker ended: how long the worker ran, in milliseconds; undefined where there never was one. */
  ended?(part: string, how: Ending, ranMs: number | undefined): void
  abandoned?(part: string): void
}

export type Ending = 'completed' | 'aborted' | 'missing' | 'bounce' | 'uninstall' | 'fatal' | 'error'

/** A log as programs have it. */
export interface EngineLog {
  debug(message: string, fields: Readonly<Record<string, unknown>>): void
  info(message: string, fields: Readonly<Record<string, unknown>>): void
  warn(message: string, fields: Readonly<Record<string, unknown>>): void
  error(message: string, fields: Readonly<Record<string, unknown>>): void
}

export interface EngineConfig extends Partial<BackoffOptions> {
  /** Whether an error stops the whole engine. A {@link FatalError} always does. */
  isFatal(error: unknown): boolean
  /** Called for each fatal error, with the worst until then (undefined at first): the worse of the two. */
  worstError(error: unknown, worst: unknown): unknown
  /** Turns the worst error into what `wait` rejects with; undefined for an end in order. */
  filter?(error: unknown): unknown
  /** Milliseconds before a part is started because an input came or went. Never lengthened. */
  readonly bounceDelayMs?: number
  /** Milliseconds of running after which earlier failures are forgotten. */
  readonly backoffResetMs?: number
  /** For parts that set no limit of their own. Milliseconds; `Infinity` for no limit. */
  readonly startTimeoutMs?: number
  readonly stopTimeoutMs?: number
  /** Called for each error that is neither missing, bounce nor uninstall. Without it parts are restarted. */
  onError?(part: string, error: unknown, context: PartErrorContext): Decision | Promise<Decision>
  /** Milliseconds that `onError` has to answer. */
  readonly decisionTimeoutMs?: number
  /** A part that ends in order of itself is removed, and not kept for when an input comes or goes. Default false. */
  readonly removeCompleted?: boolean
  readonly metrics?: EngineMetrics
  readonly log?: EngineLog
  readonly clock?: Clock
  readonly random?: Random
}

type Defaulted =
  | keyof BackoffOptions
  | 'bounceDelayMs'
  | 'backoffResetMs'
  | 'startTimeoutMs'
  | 'stopTimeoutMs'
  | 'decisionTimeoutMs'
  | 'clock'
  | 'random'

export type Settings = EngineConfig & Required<Pick<EngineConfig, Defaulted>>

const NAMES: readonly (keyof EngineConfig)[] = [
  'isFatal',
  'worstError',
  'filter',
  'onError',
  'errorDelayMs',
  'backoffFactor',
  'maxDelayMs',
  'jitter',
  'bounceDelayMs',
  'backoffResetMs',
  'startTimeoutMs',
  'stopTimeoutMs',
  'decisionTimeoutMs',
  'removeCompleted',
  'metrics',
  'log',
  'clock',
  'random',
]

/** What `setTimeout` can wait for at most; it fires at once for more. */
const LONGEST_MS = 2 ** 31 - 1

/** @throws FLOG_OPTION_INVALID */
export function settingsOf(config: EngineConfig): Settings {
  checkFunctions(config)
  const given = readOnce(config)
  const settings = {
    errorDelayMs: ENGINE_ERROR_DELAY_MS,
    bounceDelayMs: ENGINE_BOUNCE_DELAY_MS,
    backoffFactor: ENGINE_BACKOFF_FACTOR,
    backoffResetMs: ENGINE_BACKOFF_RESET_MS,
    jitter: ENGINE_JITTER,
    startTimeoutMs: ENGINE_START_MS,
    stopTimeoutMs: ENGINE_STOP_MS,
    decisionTimeoutMs: ENGINE_DECISION_MS,
    clock: given.clock ?? new SystemClock(),
    random: systemRandom,
    ...given,
  }
  const maxDelayMs = given.maxDelayMs ?? Math.max(ENGINE_MAX_DELAY_MS, settings.errorDelayMs)
  checkNumbers({ ...settings, maxDelayMs })
  return { ...settings, maxDelayMs }
}

/** @throws FLOG_OPTION_INVALID */
export function checkTimeout(option: string, ms: unknown): void {
  if (ms === undefined || ms === Number.POSITIVE_INFINITY) return
  if (!isMs(ms)) throw invalidOption(option, 'milliseconds, which must be > 0', ms)
}

export function isMs(ms: unknown): ms is number {
  return typeof ms === 'number' && ms > 0 && ms <= LONGEST_MS
}

function checkFunctions(config: EngineConfig): void {
  for (const name of ['isFatal', 'worstError'] as const) {
    if (typeof config[name] !== 'function') throw invalidOption(name, 'a function', config[name])
  }
  for (const name of ['filter', 'onError'] as const) {
    const given: unknown = config[name]
    if (given !== undefined && typeof given !== 'function') throw invalidOption(name, 'a function', given)
  }
}

function checkNumbers(settings: Settings): void {
  const { errorDelayMs, backoffFactor, maxDelayMs, jitter } = settings
  for (const name of ['errorDelayMs', 'bounceDelayMs', 'maxDelayMs', 'backoffResetMs'] as const) {
    if (!isMs(settings[name])) throw invalidOption(name, 'milliseconds, which must be > 0', settings[name])
  }
  for (const name of ['startTimeoutMs', 'stopTimeoutMs', 'decisionTimeoutMs'] as const) {
    checkTimeout(name, settings[name])
  }
  if (!(backoffFactor >= 1 && backoffFactor < Number.POSITIVE_INFINITY)) {
    throw invalidOption('backoffFactor', 'a number, which must be >= 1', backoffFactor)
  }
  if (!(jitter >= 0 && jitter <= 1)) throw invalidOption('jitter', 'a share from 0 to 1', jitter)
  if (maxDelayMs < errorDelayMs) {
    throw invalidOption(
      'maxDelayMs',
      `milliseconds, which must be >= errorDelayMs (${errorDelayMs})`,
      maxDelayMs,
    )
  }
}

/** Without what is undefined, and with functions that know their object: a configuration may be one of a class. */
export function readOnce<C extends Partial<EngineConfig>>(config: C): C {
  const entries = NAMES.map((name) => {
    const value: unknown = config[name]
    return [name, typeof value === 'function' ? value.bind(config) : value] as const
  })
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as never
}
