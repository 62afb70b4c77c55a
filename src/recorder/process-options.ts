import { invalidOption } from '../base/errors'
import { checkNames } from '../base/names'

/** `trigger`: begins an incident. `event`: is recorded, and begins none by itself. false: is not looked at. */
export type ProcessEventUse = 'trigger' | 'event' | false

/** What becomes of events of the process itself; none of it changes what the program does, or how it ends. */
export interface ProcessEventOptions {
  /** Errors that nobody caught; default `trigger`. Also those that the program has a listener or a domain for. */
  readonly uncaught?: ProcessEventUse
  /**
   * Rejections that nobody handled; default `trigger`. Those for which the program listens to `unhandledRejection`, and all
   * under `--unhandled-rejections=none`, are handled as far as Node can tell, and not seen.
   */
  readonly rejections?: ProcessEventUse
  /** Warnings of Node, of packages and of the program (`process.emitWarning`); default `event`. */
  readonly warnings?: ProcessEventUse
  /**
   * Signals that begin an incident; default none. It is whole on disk before the process ends by the signal, as it would
   * without us; where the program listens too, it decides. Signals are seen when the event loop turns.
   */
  readonly signals?: readonly EndingSignal[]
  /**
   * The event loop has nothing more to do; default false. Seen again where the program found something to do and came to its
   * end once more. As a trigger it waits for the disk in the call, so that Node asks the program no more often than without us.
   */
  readonly beforeExit?: ProcessEventUse
}

/** Signals that end a process and that Node lets it listen to. */
export type EndingSignal = (typeof ENDING_SIGNALS)[number]
const ENDING_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGALRM', 'SIGXCPU'] as const

export type ProcessEventSettings = Required<ProcessEventOptions>

const NAMES: readonly (keyof ProcessEventOptions)[] = [
  'uncaught',
  'rejections',
  'warnings',
  'signals',
  'beforeExit',
]

/** @throws FlogError FLOG_OPTION_INVALID */
export function parseProcessEvents(given: unknown): ProcessEventSettings | undefined {
  if (given === false) return undefined
  checkNames('processEvents', given, NAMES)
  const { uncaught, rejections, warnings, signals, beforeExit } = given as ProcessEventOptions
  return {
    uncaught: use('uncaught', uncaught ?? 'trigger'),
    rejections: use('rejections', rejections ?? 'trigger'),
    warnings: use('warnings', warnings ?? 'event'),
    signals: signalList(signals ?? []),
    beforeExit: use('beforeExit', beforeExit ?? false),
  }
}

function use(name: string, given: unknown): ProcessEventUse {
  if (given === 'trigger' || given === 'event' || given === false) return given
  throw invalidOption(`processEvents.${name}`, '"trigger", "event" or false', given)
}

function signalList(given: unknown): readonly EndingSignal[] {
  if (!Array.isArray(given)) throw invalidOption('processEvents.signals', EXPECTED, given)
  for (const [i, signal] of given.entries()) {
    if (!ENDING_SIGNALS.includes(signal)) throw invalidOption(`processEvents.signals[${i}]`, EXPECTED, signal)
  }
  return [...new Set(given as readonly EndingSignal[])]
}

const EXPECTED = `a list of signals among ${ENDING_SIGNALS.join(', ')}`
