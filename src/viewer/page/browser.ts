/** The page's clock and its queue of tasks. Everything else in the page is told what time it is. */

/** Monotonic milliseconds. */
export function monotonicMs(): number {
  return performance.now()
}

/** Wall time in microseconds since the epoch. */
export function wallMicros(): number {
  return Date.now() * 1000
}

/** Calls `action` once, after `ms` milliseconds. */
export function after(ms: number, action: () => void): void {
  setTimeout(action, ms)
}

/** Resolves in a task of its own, so that input and painting come in between. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve)
    channel.port2.postMessage(null)
  })
}

/** Milliseconds of work between two turns: with the browser's own work on top a task stays far below 50 ms. */
const SLICE_MS = 12

/** Work that is done in slices: `if (slices.due) await slices.turn()`. */
export class Slices {
  #began = monotonicMs()

  /** Takes some microseconds in some browsers: to be asked for every thousandth event, not for each. */
  get due(): boolean {
    return monotonicMs() - this.#began > SLICE_MS
  }

  async turn(): Promise<void> {
    await turn()
    this.#began = monotonicMs()
  }
}

const waiting: (() => void)[] = []
const channel = new MessageChannel()
channel.port1.onmessage = () => waiting.shift()?.()
