import type { Clock } from '../../base/clock'
import { FlogError } from '../../base/errors'

/** A budget of time: a signal for what can be broken off, and a promise for what cannot. */
export interface Timeout {
  readonly signal: AbortSignal
  /** Resolves when the time is up. */
  readonly over: Promise<void>
  cancel(): void
}

export function timeout(clock: Clock, ms: number, message: string): Timeout {
  const controller = new AbortController()
  let done = (): void => {}
  const over = new Promise<void>((resolve) => {
    done = resolve
  })
  const timer = clock.after(ms, () => {
    controller.abort(new FlogError('FLOG_ABORTED', message))
    done()
  })
  return { signal: controller.signal, over, cancel: () => timer.cancel() }
}
