import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { FlogError, systemCode } from '../../../base/errors'
import { currentIdentity, livenessOf, type ProcessIdentity, sameProcess } from '../../../base/identity'
import { type Random, randomHex } from '../../../base/random'

/** Held by this process. */
export interface DirectoryLock {
  /** Idempotent. */
  release(): void
}

/**
 * Takes a data directory for this process. The embedded database has no lock of its own, and two processes in one directory
 * destroy it. The lock is a file beside the directory that says whose it is, made with its contents in one step; it is taken
 * over only from a process that is known to be dead.
 * @throws FlogError FLOG_DATABASE_LOCKED, FLOG_DATABASE_FAILED where the file cannot be made
 */
export function lockDirectory(directory: string, random: Random): DirectoryLock {
  const path = `${directory}.lock`
  const aside = `${path}-${randomHex(random, 8)}`
  try {
    writeFileSync(aside, JSON.stringify(currentIdentity()), { flag: 'wx', mode: 0o600 })
    try {
      while (!linked(aside, path)) takeFromDead(path, directory, `${aside}-dead`)
    } finally {
      rmSync(aside, { force: true })
    }
  } catch (cause) {
    if (FlogError.is(cause)) throw cause
    throw new FlogError(
      'FLOG_DATABASE_FAILED',
      `the lock ${path} cannot be made: ${systemCode(cause) ?? cause}`,
      {
        cause,
        details: { path },
      },
    )
  }
  return { release: () => release(path) }
}

function linked(from: string, path: string): boolean {
  try {
    linkSync(from, path)
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
}

/** Of several that see a dead holder one wins the rename; who moves the next holder's lock by mistake puts it back. */
function takeFromDead(path: string, directory: string, aside: string): void {
  const holder = holderOf(path)
  if (holder === 'gone') return
  if (holder === undefined || livenessOf(holder) !== 'dead') throw locked(path, directory, holder)
  try {
    renameSync(path, aside)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw error
  }
  const moved = holderOf(aside)
  if (typeof moved === 'object' && !sameProcess(moved, holder)) linked(aside, path)
  rmSync(aside)
}

function locked(path: string, directory: string, holder: ProcessIdentity | undefined): FlogError {
  const liveness = holder === undefined ? 'unknown' : livenessOf(holder)
  const who = holder === undefined ? 'a process that cannot be told' : `process ${holder.pid}`
  const hint =
    liveness === 'alive'
      ? 'end it first, or use another directory; several collectors need a PostgreSQL'
      : `this one cannot tell whether it is alive: if it is not, remove ${path}`
  return new FlogError('FLOG_DATABASE_LOCKED', `${who} has the data directory ${directory}: ${hint}`, {
    details: { directory, lock: path, liveness, ...(holder === undefined ? {} : { pid: holder.pid }) },
  })
}

function release(path: string): void {
  const holder = holderOf(path)
  if (typeof holder === 'object' && sameProcess(holder, currentIdentity())) rmSync(path, { force: true })
}

/** Undefined for a file that says nothing of the kind. */
function holderOf(path: string): ProcessIdentity | 'gone' | undefined {
  try {
    const holder = JSON.parse(readFileSync(path, 'utf8')) as Partial<ProcessIdentity> | null
    const { bootId, pidNamespace, pid, startTime } = holder ?? {}
    const texts = [bootId, pidNamespace, startTime]
    return typeof pid === 'number' && texts.every((text) => typeof text === 'string')
      ? (holder as ProcessIdentity)
      : undefined
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? 'gone' : undefined
  }
}
