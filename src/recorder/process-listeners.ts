import type { EventEmitter } from 'node:events'
import { constants } from 'node:os'
import { processState } from './process'

/** What of a process can be listened to without changing what it does. */
type PassiveEvent = 'uncaughtExceptionMonitor' | 'warning' | 'beforeExit' | 'worker'

/** Must not throw: what a monitor of uncaught errors throws replaces the error. */
export type ProcessObserver = (...args: readonly unknown[]) => void

interface Shared {
  readonly observers: Set<ProcessObserver>
  readonly listener: (...args: unknown[]) => void
}

/**
 * One listener for each event, for all recorders of the process, also those of a second copy of this package: many would
 * make Node warn of a leak, and a signal must find out whether anybody else listens to it.
 */
const KEY = Symbol.for('flight-log.process-listeners.1')

/** @returns a function that takes it back */
export function observeProcess(event: PassiveEvent, observer: ProcessObserver): () => void {
  return observe(
    event,
    observer,
    (observers) =>
      (...args) =>
        tell(observers, args),
  )
}

/**
 * Sees a signal, and lets the process do what it would have done without us.
 *
 * ```
 *   signal ──> our listener is taken off, observers are told ──> others listen: they decide; ours is put back behind them
 *                                                            └─> nobody else: files are made whole, the signal is raised again
 * ```
 * Ours is called first, and is off while others run: those that end the process when nobody else listens count listeners too.
 * @param observer gets the signal's name and how many others listen to it
 * @returns a function that takes it back
 */
export function observeSignal(signal: NodeJS.Signals, observer: ProcessObserver): () => void {
  return observe(signal, observer, (observers) => {
    const listener = (_name: unknown, number?: unknown): void => {
      process.off(signal, listener)
      const others = process.listenerCount(signal)
      tell(observers, [signal, others])
      // A program may emit the name of a signal itself, which ends nothing.
      if (others === 0 && number === constants.signals[signal]) raise(signal)
      queueMicrotask(() => {
        if (observers.size > 0) listen(signal, listener)
      })
    }
    return listener
  })
}

function observe(
  event: string,
  observer: ProcessObserver,
  listenerFor: (observers: ReadonlySet<ProcessObserver>) => Shared['listener'],
): () => void {
  const shared = sharedListeners()
  const entry = shared.get(event) ?? newEntry(listenerFor)
  shared.set(event, entry)
  entry.observers.add(observer)
  listen(event, entry.listener)
  return () => {
    entry.observers.delete(observer)
    if (entry.observers.size > 0 || shared.get(event) !== entry) return
    shared.delete(event)
    process.off(event, entry.listener)
  }
}

function newEntry(listenerFor: (observers: ReadonlySet<ProcessObserver>) => Shared['listener']): Shared {
  const observers = new Set<ProcessObserver>()
  return { observers, listener: listenerFor(observers) }
}

/** Also where a program removed all listeners since. */
function listen(event: string, listener: Shared['listener']): void {
  const emitter: EventEmitter = process
  if (!emitter.listeners(event).includes(listener)) emitter.prependListener(event, listener)
}

/** A process that is the first of its container is not ended by this, as it is not by the signal itself. */
function raise(signal: NodeJS.Signals): void {
  processState().tellAll()
  process.kill(process.pid, signal)
}

function tell(observers: ReadonlySet<ProcessObserver>, args: readonly unknown[]): void {
  for (const observer of observers) {
    try {
      observer(...args)
    } catch {
      // The process goes its way, and the next observer matters as much.
    }
  }
}

function sharedListeners(): Map<string, Shared> {
  const holder = globalThis as { [KEY]?: Map<string, Shared> }
  holder[KEY] ??= new Map()
  return holder[KEY]
}
