import type { Clock } from './clock'

/** Resolves after `ms`, or at once when the signal says so. It does not say which: look at the signal. */
export function pause(clock: Clock, ms: number, signal: AbortSignal, keepAlive = false): Promise<void> {
  if (signal.aborted || ms <= 0) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = clock.after(ms, done, { keepAlive })
    signal.addEventListener('abort', done, { once: true })
  })
}
