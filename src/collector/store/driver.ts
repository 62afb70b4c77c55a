import { FlogError, systemCode } from '../../base/errors'

/** Loads `pg`, an optional peer: only a collector needs it. @throws FlogError FLOG_DATABASE_FAILED where it is not installed */
export function driver(): typeof import('pg') {
  return optional('pg', () => require('pg') as typeof import('pg'))
}

/** Loads an optional peer, or says which one is missing, and how to get it. */
export function optional<T>(name: string, load: () => T): T {
  try {
    return load()
  } catch (cause) {
    if (systemCode(cause) !== 'MODULE_NOT_FOUND') throw cause
    throw new FlogError('FLOG_DATABASE_FAILED', `a collector needs ${name}: run npm install ${name}`, {
      cause,
      details: { missing: name },
    })
  }
}

/** Ends a connection at once: one that does not answer is not said goodbye to. */
export function cutOff(client: import('pg').Client): void {
  // Not among the types of pg, but the same in all of its versions.
  ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
}
