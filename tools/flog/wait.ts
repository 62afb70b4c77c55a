import type { Clock } from '../../src/base/clock'

/** Longest timer that Node takes; it only keeps the process alive. */
const LONG_MS = 2 ** 30

/** Resolves when the signal is aborted, and keeps the process alive until then. */
export function untilAborted(signal: AbortSignal, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const timer = clock.every(LONG_MS, () => undefined, { keepAlive: true })
    signal.addEventListener(
      'abort',
      () => {
        timer.cancel()
        resolve()
      },
      { once: true },
    )
  })
}

/** Resolves after `ms` milliseconds, or at once when the signal is aborted; keeps the process alive. */
export function pause(ms: number, signal: AbortSignal, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = (): void => {
      timer.cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = clock.after(ms, done, { keepAlive: true })
    signal.addEventListener('abort', done, { once: true })
  })
}
