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
  let current = error
  for (let depth = 0; depth < CAUSES && typeof current === 'object' && current !== null; depth++) {
    for (const [code, meaning] of MEANINGS) if (FlogError.is(current, code)) return meaning
    current = causeOf(current)
  }
  return undefined
}

export function isMissing(error: unknown): boolean {
  return meaningOf(error) === 'missing'
}

/** What was thrown, as an error that says by which part, where it is none. */
export function thrownBy(part: string, thrown: unknown): unknown {
  if (thrown instanceof Error || FlogError.is(thrown)) return thrown
  return new FlogError('FLOG_ENGINE_THROWN', `part "${part}" threw no error, but ${messageOf(thrown)}`, {
    cause: thrown,
    details: { part },
  })
}

function causeOf(error: object): unknown {
  try {
    return 'cause' in error ? error.cause : undefined
  } catch {
    return undefined
  }
}
