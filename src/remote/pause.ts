import type { Clock } from '../base/clock'

/** Resolves after `ms`, or at once when the signal says so. */
export function pause(clock: Clock, ms: number, signal: AbortSignal, keepAlive = false): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = clock.after(ms, done, { keepAlive })
    signal.addEventListener('abort', done, { once: true })
    if (signal.aborted) done()
  })
}
