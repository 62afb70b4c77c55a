import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type Doorbell, hangDoorbell, ring } from './doorbell'
import { FlogError, type FlogErrorCode, messageOf, systemCode } from './errors'
import { currentIdentity, type Liveness, livenessOf } from './identity'
import type { ProcessIdentity } from './process-identity'
import { type Random, randomHex } from './random'

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

export interface LockOptions {
  readonly random: Random
  /** What the directory is, in messages: `the data directory`. */
  readonly what: string
  /** What somebody can do who wants the directory of a process that lives, besides ending it. */
  readonly advice: string
  /** Codes of the error that another process has it, and of the one that the lock cannot be made. */
  readonly lockedCode: FlogErrorCode
  readonly failedCode: FlogErrorCode
}

/**
 * Takes a directory for this process, where two processes in one directory would destroy what is in it. The lock is a file
 * beside the directory that says whose it is, made with its contents in one step; it is taken over only from a process that is
 * known to be dead.
 * @throws FlogError of the codes in the options
 */
export async function lockDirectory(directory: string, options: LockOptions): Promise<DirectoryLock> {
  const path = `${directory}.lock`
  const id = randomHex(options.random, 8)
  const aside = `${path}-${id}`
  // Before the lock is there: whoever sees the lock can ring.
  const doorbell = await hangDoorbell(`${directory}.${id}`)
  const holder: Holder = { process: currentIdentity(), id, doorbell: doorbell?.path }
  try {
    writeFileSync(aside, JSON.stringify(holder), { flag: 'wx', mode: 0o600 })
    while (!linked(aside, path) && !(await tookOver(aside, path, directory, options))) {}
    return { release: () => release(path, id, doorbell) }
  } catch (cause) {
    doorbell?.remove()
    if (FlogError.is(cause)) throw cause
    throw new FlogError(options.failedCode, `the lock ${path} cannot be made: ${messageOf(cause)}`, {
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
async function tookOver(
  aside: string,
  path: string,
  directory: string,
  options: LockOptions,
): Promise<boolean> {
  const refused = (held: string, holder: Holder | undefined, liveness: Liveness) =>
    locked(held, directory, holder, liveness, options)
  const holder = holderOf(path)
  if (holder === 'gone') return false
  const liveness = holder === undefined ? 'unknown' : await livenessOfHolder(holder)
  if (holder === undefined || liveness !== 'dead') throw refused(path, holder, liveness)
  const claim = `${path}-${holder.id}-dead`
  try {
    if (!linked(path, claim)) throw refused(claim, undefined, 'unknown')
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

function locked(
  path: string,
  directory: string,
  holder: Holder | undefined,
  liveness: Liveness,
  { what, advice, lockedCode }: LockOptions,
): FlogError {
  const who = holder === undefined ? 'a process that cannot be told' : `process ${holder.process.pid}`
  const hint =
    liveness === 'alive'
      ? `end it first, or ${advice}`
      : `this one cannot tell whether it is alive: if it is not, remove ${path}`
  return new FlogError(lockedCode, `${who} has ${what} ${directory}: ${hint}`, {
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
