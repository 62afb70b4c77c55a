import { type Clock, SystemClock } from '../../base/clock'
import { invalidOption } from '../../base/errors'
import {
  KERNEL_FOLD_MS,
  KERNEL_INTENSITY,
  KERNEL_PERIOD_MS,
  KERNEL_QUEUE,
  KERNEL_SPOOL_BYTES,
  KERNEL_WINDOW_MS,
} from '../../base/kernel-limits'
import { checkNames } from '../../base/names'
import { parseNumber, parseWhole } from '../../base/numbers'
import { type Random, systemRandom } from '../../base/random'
import type { Policy } from './decider'
import { LEVELS, type Level, type Threshold } from './event'
import type { Forward } from './forwarder'
import { type Metrics, MetricsTable, safely } from './metrics'

export interface KernelOptions {
  /** Name of this node in the central error log. */
  readonly node: string
  /** What is shown on stderr; default `info`. `none` shows nothing, and forwards all the same. */
  readonly level?: Threshold
  /** Default `json`: one object a line. `text` is for people. */
  readonly format?: 'json' | 'text'
  /** Default true. False leaves the time out of what is shown, never out of what is forwarded. */
  readonly timestamps?: boolean
  /** Where the lines go; default stderr. */
  readonly write?: (line: string) => void
  /** What is forwarded; default `info`. */
  readonly forwardLevel?: Threshold
  /** How the central error log is reached; without it nothing is forwarded. */
  readonly forward?: Forward
  /**
   * Directory that keeps what is to be forwarded until that was acknowledged: what a report returned from survives the process.
   * One process each, on a disk of this machine.
   */
  readonly spool?: string
  /** Bytes it may hold, at least 1 MiB; with more the oldest rows are dropped, and counted. Default 16 MiB. */
  readonly spoolBytes?: number
  /**
   * Rows that wait in memory for the central error log; default 1,000. Of more, those in a spool wait there only; without one
   * the oldest are dropped, and counted.
   */
  readonly queue?: number
  /** Asked in order; the first that answers decides. */
  readonly policies?: readonly Policy[]
  /** More restarts of a part than this within the period are escalated; default 5 in 60 s. */
  readonly intensity?: number
  readonly periodMs?: number
  /** What `countInWindow` looks back; default 60 s. */
  readonly windowMs?: number
  /** Occurrences of one trouble become one row for so long; default 10 s. 0 makes a row of each, at once. */
  readonly foldMs?: number
  /** From more than `after` occurrences in the window on, a trouble has at least this level. Default: never. */
  readonly louder?: { readonly after: number; readonly level: Level }
  /** Further names of properties whose values are taken out. */
  readonly redact?: readonly string[]
  readonly metrics?: Metrics
  readonly clock?: Clock
  readonly random?: Random
}

type Optional = 'forward' | 'spool' | 'write' | 'louder'
export type KernelSettings = Required<Omit<KernelOptions, Optional>> & {
  readonly [option in Optional]: KernelOptions[option] | undefined
}

const NAMES = [
  ...[
    'node',
    'level',
    'format',
    'timestamps',
    'write',
    'forwardLevel',
    'forward',
    'spool',
    'spoolBytes',
    'queue',
  ],
  ...[
    'policies',
    'intensity',
    'periodMs',
    'windowMs',
    'foldMs',
    'louder',
    'redact',
    'metrics',
    'clock',
    'random',
  ],
]
/** A day: whatever is waited for or looked back at is less. */
const MAX_MS = 86_400_000

/** @throws FlogError FLOG_OPTION_INVALID naming the option */
export function parseKernelOptions(options: KernelOptions): KernelSettings {
  checkNames('', options, NAMES)
  const { node, forward, spool, write, louder } = options
  return {
    node: text('node', node),
    level: oneOf('level', options.level ?? 'info', [...LEVELS, 'none']),
    format: oneOf('format', options.format ?? 'json', ['json', 'text']),
    timestamps: flag('timestamps', options.timestamps ?? true),
    write: write === undefined ? undefined : callable('write', write),
    forwardLevel: oneOf('forwardLevel', options.forwardLevel ?? 'info', [...LEVELS, 'none']),
    forward: forward === undefined ? undefined : forwardOf(forward),
    spool: spool === undefined ? undefined : text('spool', spool),
    spoolBytes: parseWhole('spoolBytes', options.spoolBytes ?? KERNEL_SPOOL_BYTES, 2 ** 20, 2 ** 31),
    queue: parseWhole('queue', options.queue ?? KERNEL_QUEUE, 1, 1_000_000),
    policies: list('policies', options.policies ?? []).map((policy) => callable('policies', policy)),
    intensity: parseWhole('intensity', options.intensity ?? KERNEL_INTENSITY, 0, Infinity),
    periodMs: parseNumber('periodMs', options.periodMs ?? KERNEL_PERIOD_MS, 1, MAX_MS, 'milliseconds'),
    windowMs: parseNumber('windowMs', options.windowMs ?? KERNEL_WINDOW_MS, 1, MAX_MS, 'milliseconds'),
    foldMs: parseNumber('foldMs', options.foldMs ?? KERNEL_FOLD_MS, 0, MAX_MS, 'milliseconds'),
    louder: louder === undefined ? undefined : louderOf(louder),
    redact: list('redact', options.redact ?? []).map((name) => text('redact', name)),
    metrics: safely(options.metrics ?? new MetricsTable()),
    clock: options.clock ?? new SystemClock(),
    random: options.random ?? systemRandom,
  }
}

function louderOf(louder: { readonly after: number; readonly level: Level }): KernelSettings['louder'] {
  checkNames('louder', louder, ['after', 'level'])
  return {
    after: parseWhole('louder.after', louder.after, 1, Infinity),
    level: oneOf('louder.level', louder.level, LEVELS),
  }
}

function forwardOf(forward: Forward): Forward {
  if (typeof forward === 'object' && forward !== null && typeof forward.send === 'function') return forward
  throw invalidOption('forward', 'an object with a method send', forward)
}

function oneOf<T extends string>(option: string, value: T, known: readonly T[]): T {
  if (known.includes(value)) return value
  throw invalidOption(option, `one of ${known.join(', ')}`, value)
}

function text(option: string, value: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw invalidOption(option, 'a text', value)
}

function flag(option: string, value: boolean): boolean {
  if (typeof value === 'boolean') return value
  throw invalidOption(option, 'true or false', value)
}

function callable<T>(option: string, value: T): T {
  if (typeof value === 'function') return value
  throw invalidOption(option, 'functions', value)
}

function list<T>(option: string, value: readonly T[]): readonly T[] {
  if (Array.isArray(value)) return value as readonly T[]
  throw invalidOption(option, 'an array', value)
}
