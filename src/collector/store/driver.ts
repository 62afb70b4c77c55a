import { FlogError, systemCode } from '../../base/errors'

/** Loads `pg`, an optional peer: only a collector needs it. @throws FlogError FLOG_DATABASE_FAILED where it is not installed */
export function driver(): typeof import('pg') {
  return optional('pg', () => require('pg') as typeof import('pg'))
}

/** Checks that PGlite is installed, which is loaded in its thread. It needs `pg` too. @throws as {@link driver} */
export function requireEmbedded(): void {
  optional('@electric-sql/pglite', () => require.resolve('@electric-sql/pglite'), 'pg @electric-sql/pglite')
  driver()
}

/** Loads an optional peer, or says which one is missing, and how to get it. */
function optional<T>(name: string, load: () => T, install = name): T {
  try {
    return load()
  } catch (cause) {
    if (systemCode(cause) !== 'MODULE_NOT_FOUND') throw cause
    throw new FlogError(
      'FLOG_DATABASE_FAILED',
      `a collector needs ${name}, which is not installed: run npm install ${install}`,
      {
        cause,
        details: { missing: name },
      },
    )
  }
}

/** Ends a connection at once: one that does not answer is not said goodbye to. */
export function cutOff(client: import('pg').Client): void {
  // Not among the types of pg, but the same in all of its versions.
  ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
}
