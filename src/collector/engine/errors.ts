import { FlogError, type FlogErrorOptions, messageOf } from '../../base/errors'

/** An input that is not there. The part stays down until one of its inputs comes or goes. */
export class MissingError extends FlogError {
  constructor(message: string, options: FlogErrorOptions = {}) {
    super('FLOG_ENGINE_MISSING', message, options)
    this.name = 'MissingError'
  }
}

/** A part ends with it to be started anew at once, and its dependents with it. No failure: it does not lengthen any delay. */
export class BounceError extends FlogError {
  constructor(message = 'the part asks to be started anew', options: FlogErrorOptions = {}) {
    super('FLOG_ENGINE_BOUNCE', message, options)
    this.name = 'BounceError'
  }
}

/** A part ends with it to be removed from the engine. */
export class UninstallError extends FlogError {
  constructor(message = 'the part asks to be removed', options: FlogErrorOptions = {}) {
    super('FLOG_ENGINE_UNINSTALL', message, options)
    this.name = 'UninstallError'
  }
}

/** A part ends with it to stop the whole engine, whatever `isFatal` says. */
export class FatalError extends FlogError {
  constructor(message: string, options: FlogErrorOptions = {}) {
    super('FLOG_ENGINE_FATAL', message, options)
    this.name = 'FatalError'
  }
}

/**
 * What a part needs is not ready yet, as may well be. The part is started again like after any other error, with the same
 * backoff; but the log says so as information, and not as a warning.
 */
export class TryAgainError extends FlogError {
  constructor(message: string, options: FlogErrorOptions = {}) {
    super('FLOG_ENGINE_TRY_AGAIN', message, options)
    this.name = 'TryAgainError'
  }
}

export type Meaning = 'missing' | 'bounce' | 'uninstall' | 'fatal'

const MEANINGS = [
  ['FLOG_ENGINE_MISSING', 'missing'],
  ['FLOG_ENGINE_BOUNCE', 'bounce'],
  ['FLOG_ENGINE_UNINSTALL', 'uninstall'],
  ['FLOG_ENGINE_FATAL', 'fatal'],
] as const

/** Longer chains of causes are not followed: they may be circular. */
const CAUSES = 20

/** What an error asks the engine for, by itself or by the nearest of its causes that asks for something. */
export function meaningOf(error: unknown): Meaning | undefined {
  for (const link of chainOf(error)) {
    for (const [code, meaning] of MEANINGS) if (FlogError.is(link, code)) return meaning
  }
  return undefined
}

/** By itself or by one of its causes. */
export function isTryAgain(error: unknown): boolean {
  return chainOf(error).some((link) => FlogError.is(link, 'FLOG_ENGINE_TRY_AGAIN'))
}

export function isMissing(error: unknown): boolean {
  return meaningOf(error) === 'missing'
}

/** What was thrown, as an error that says by which part, where it is none. */
export function thrownBy(part: string, thrown: unknown): unknown {
  if (isError(thrown)) return thrown
  return new FlogError('FLOG_ENGINE_THROWN', `part "${part}" threw no error, but ${messageOf(thrown)}`, {
    cause: thrown,
    details: { part },
  })
}

/** Whether it only says that what was told to stop has stopped. */
export function isAbort(error: unknown): boolean {
  if (!isError(error)) return false
  return FlogError.is(error, 'FLOG_ABORTED') || nameOf(error) === 'AbortError'
}

/** A reason to stop. */
export function aborted(message: string, cause?: unknown): FlogError {
  return withoutStack(() => new FlogError('FLOG_ABORTED', message, cause === undefined ? {} : { cause }))
}

/** For what the engine itself says: where all parts are bounced, stacks would cost more than all else, and say nothing. */
export function withoutStack(make: () => FlogError): FlogError {
  const { stackTraceLimit } = Error
  // Where it cannot be set, as with frozen intrinsics, there is a stack.
  Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    return make()
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
}

/** An error and its causes, as far as they can be looked at. */
function chainOf(error: unknown): readonly object[] {
  const chain: object[] = []
  for (let link = error; chain.length < CAUSES && isError(link); link = causeOf(link)) chain.push(link)
  return chain
}

/** False also for what cannot be looked at, as a proxy that was revoked. */
function isError(value: unknown): value is object {
  try {
    return value instanceof Error || FlogError.is(value)
  } catch {
    return false
  }
}

function causeOf(error: object): unknown {
  try {
    return 'cause' in error ? error.cause : undefined
  } catch {
    return undefined
  }
}

function nameOf(error: object): unknown {
  try {
    return 'name' in error ? error.name : undefined
  } catch {
    return undefined
  }
}
