import { linkSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
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

/** Who wants the lock. */
interface Claimant {
  readonly directory: string
  readonly options: LockOptions
  readonly id: string
  /** A file that says who it is, to make links of. */
  readonly aside: string
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
    await acquire(path, { directory, options, id, aside })
    await sweep(path, id)
    await sweepDoorbells(directory, aside)
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

async function acquire(path: string, claimant: Claimant): Promise<void> {
  while (!linked(claimant.aside, path) && !(await tookOver(path, claimant))) {}
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
 * Puts the claimant in the place of a dead holder. Of several that see it dead, one gets the lock that is named after the dead
 * holder, and if the file still is the dead one's, nobody else may touch it: it is replaced in one step. That lock is like the
 * other: it may be one that somebody died with, and is taken over then.
 * @returns false where the lock has changed hands meanwhile
 */
async function tookOver(path: string, claimant: Claimant): Promise<boolean> {
  const holder = holderOf(path)
  if (holder === 'gone') return false
  const liveness = holder === undefined ? 'unknown' : await livenessOfHolder(holder)
  if (holder === undefined || liveness !== 'dead') throw locked(path, claimant, holder, liveness)
  const claim = `${path}-${holder.id}-dead`
  await acquire(claim, claimant)
  try {
    const found = holderOf(path)
    if (typeof found !== 'object' || found.id !== holder.id) return false
    replace(path, claimant)
    if (holder.doorbell !== undefined) rmSync(holder.doorbell, { force: true })
    return true
  } finally {
    rmSync(claim, { force: true })
  }
}

function replace(path: string, { aside }: Claimant): void {
  const link = `${aside}-new`
  rmSync(link, { force: true })
  linkSync(aside, link)
  renameSync(link, path)
}

/** Removes what processes left that died while they made a lock, or took it over. */
async function sweep(path: string, id: string): Promise<void> {
  const start = `${basename(path)}-`
  for (const name of readdirSync(dirname(path)).filter((one) => one.startsWith(start))) {
    const file = join(dirname(path), name)
    const holder = holderOf(file)
    if (typeof holder !== 'object' || holder.id === id) continue
    if ((await livenessOfHolder(holder)) !== 'dead') continue
    rmSync(file, { force: true })
    if (holder.doorbell !== undefined) rmSync(holder.doorbell, { force: true })
  }
}

/** Doorbells of those who died before anybody could see whose they were. One that is new may be about to be heard. */
async function sweepDoorbells(directory: string, aside: string): Promise<void> {
  const start = `${basename(directory)}.`
  const names = readdirSync(dirname(directory)).filter((one) => one.startsWith(start))
  for (const name of names.filter((one) => /^[0-9a-f]{16}$/.test(one.slice(start.length)))) {
    const doorbell = join(dirname(directory), name)
    // By the clock of the file system, which may be another one's.
    const age = modifiedAt(aside) - modifiedAt(doorbell)
    if (age >= DOORBELL_NEW_MS && (await ring(doorbell)) === 'dead') rmSync(doorbell, { force: true })
  }
}

const DOORBELL_NEW_MS = 60_000

function modifiedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NaN
}

async function livenessOfHolder({ process, doorbell }: Holder): Promise<Liveness> {
  const liveness = livenessOf(process)
  return liveness === 'unknown' && doorbell !== undefined ? ring(doorbell) : liveness
}

function locked(
  path: string,
  { directory, options: { what, advice, lockedCode } }: Claimant,
  holder: Holder | undefined,
  liveness: Liveness,
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
