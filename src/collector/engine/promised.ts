/**
 * A function that is to give nothing may be an async one all the same. What it is refused by then is told here; otherwise
 * it would be a rejection that nobody handles, which ends the process.
 */
export function whenRefused(given: unknown, refused: (error: unknown) => void): void {
  if (isPromise(given)) given.then(undefined, refused)
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
