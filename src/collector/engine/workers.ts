import type { PartWorker, Worker } from './part'

/**
 * A worker out of an async function. `kill` aborts its signal; an error that only says so is an end in order.
 * @param report what the engine's report shows of it
 */
export function fromAsync(run: (signal: AbortSignal) => Promise<void>, report?: () => unknown): Worker {
  const abort = new AbortController()
  const done = call(run, abort.signal).catch((error: unknown) => {
    if (!abort.signal.aborted || !saysAborted(error, abort.signal)) throw error
  })
  // Whoever waits is told; that nobody waits yet is no unhandled rejection.
  done.catch(() => {})
  return {
    kill: (reason) => abort.abort(reason),
    wait: () => done,
    ...(report === undefined ? {} : { report }),
  }
}

/** A part that does nothing but offer a value. */
export function valueWorker<T>(output: T): PartWorker<T> {
  return { ...untilKilled(), output }
}

/** Runs until it is told to stop. */
export function untilKilled(): Worker {
  const { promise, resolve } = deferred()
  return { kill: () => resolve(), wait: () => promise }
}

export interface Deferred {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** A promise that is settled from outside; that nobody waits for it is no unhandled rejection. */
export function deferred(): Deferred {
  let resolve: () => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  promise.catch(() => {})
  return { promise, resolve, reject }
}

/** Also a function that throws before it gives a promise. */
async function call(run: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
  await run(signal)
}

function saysAborted(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError')
}
