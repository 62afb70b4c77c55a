import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { FlogError, messageOf, systemCode } from '../../../base/errors'
import { currentIdentity, type Liveness, livenessOf } from '../../../base/identity'
import type { ProcessIdentity } from '../../../base/process-identity'
import { type Random, randomHex } from '../../../base/random'
import { type Doorbell, hangDoorbell, ring } from './doorbell'

/** Held by this process. */
export interface DirectoryLock {
  /** Idempotent. */
  release(): void
}

/** What the file says. */
interface Holder {
  readonly process: ProcessIdentity
  /** Tells one holder from another, also of one process. */
  readonly id: string
  /** Path of its doorbell, where it has one. */
  readonly doorbell?: string | undefined
}

/**
 * Takes a data directory for this process. The embedded database has no lock of its own, and two processes in one directory
 * destroy it. The lock is a file beside the directory that says whose it is, made with its contents in one step; it is taken
 * over only from a process that is known to be dead.
 * @throws FlogError FLOG_DATABASE_LOCKED, FLOG_DATABASE_FAILED where the file cannot be made
 */
export async function lockDirectory(directory: string, random: Random): Promise<DirectoryLock> {
  const path = `${directory}.lock`
  const id = randomHex(random, 8)
  const aside = `${path}-${id}`
  // Before the lock is there: whoever sees the lock can ring.
  const doorbell = await hangDoorbell(`${directory}.${id}`)
  const holder: Holder = { process: currentIdentity(), id, doorbell: doorbell?.path }
  try {
    writeFileSync(aside, JSON.stringify(holder), { flag: 'wx', mode: 0o600 })
    while (!linked(aside, path) && !(await tookOver(aside, path, directory))) {}
    return { release: () => release(path, id, doorbell) }
  } catch (cause) {
    doorbell?.remove()
    if (FlogError.is(cause)) throw cause
    throw new FlogError('FLOG_DATABASE_FAILED', `the lock ${path} cannot be made: ${messageOf(cause)}`, {
      cause,
      details: { path },
    })
  } finally {
    rmSync(aside, { force: true })
  }
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

/**
 * Puts `aside` in the place of a dead holder's lock. Of several that see it, one makes the link that is named after the dead
 * holder, and if that still is the dead one's file, nobody else may touch the lock: it is replaced in one step.
 * @returns false where the lock has changed hands meanwhile
 */
async function tookOver(aside: string, path: string, directory: string): Promise<boolean> {
  const holder = holderOf(path)
  if (holder === 'gone') return false
  const liveness = holder === undefined ? 'unknown' : await livenessOfHolder(holder)
  if (holder === undefined || liveness !== 'dead') throw locked(path, directory, holder, liveness)
  const claim = `${path}-${holder.id}-dead`
  try {
    if (!linked(path, claim)) throw locked(claim, directory, undefined, 'unknown')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
  try {
    const claimed = holderOf(claim)
    if (typeof claimed !== 'object' || claimed.id !== holder.id) return false
    renameSync(aside, path)
    if (holder.doorbell !== undefined) rmSync(holder.doorbell, { force: true })
    return true
  } finally {
    rmSync(claim, { force: true })
  }
}

async function livenessOfHolder({ process, doorbell }: Holder): Promise<Liveness> {
  const liveness = livenessOf(process)
  return liveness === 'unknown' && doorbell !== undefined ? ring(doorbell) : liveness
}

function locked(path: string, directory: string, holder: Holder | undefined, liveness: Liveness): FlogError {
  const who = holder === undefined ? 'a process that cannot be told' : `process ${holder.process.pid}`
  const hint =
    liveness === 'alive'
      ? 'end it first, or use another directory; several collectors need a PostgreSQL'
      : `this one cannot tell whether it is alive: if it is not, remove ${path}`
  return new FlogError('FLOG_DATABASE_LOCKED', `${who} has the data directory ${directory}: ${hint}`, {
    details: {
      directory,
      lock: path,
      liveness,
      ...(holder === undefined ? {} : { pid: holder.process.pid }),
    },
  })
}

function release(path: string, id: string, doorbell: Doorbell | undefined): void {
  const holder = holderOf(path)
  if (typeof holder === 'object' && holder.id === id) rmSync(path, { force: true })
  doorbell?.remove()
}

/** Undefined for a file that says nothing of the kind. */
function holderOf(path: string): Holder | 'gone' | undefined {
  try {
    const holder = JSON.parse(readFileSync(path, 'utf8')) as Partial<Holder> | null
    const { bootId, pidNamespace, pid, startTime } = holder?.process ?? {}
    const texts = [bootId, pidNamespace, startTime, holder?.id, holder?.doorbell ?? '']
    const isHolder = typeof pid === 'number' && texts.every((text) => typeof text === 'string')
    return isHolder ? (holder as Holder) : undefined
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? 'gone' : undefined
  }
}
