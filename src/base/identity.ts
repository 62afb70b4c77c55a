import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { systemCode } from './errors'
import type { ProcessIdentity } from './process-identity'

/**
 * Whose file is it, and is that process alive? A pid alone does not tell: pids are used again, and in containers
 * everybody is pid 1. A pid together with the time its process started, both as one kernel and one pid namespace count
 * them, does.
 *
 * Where there is no /proc (macOS), the host stands for the boot, and a pid that is in use tells nothing.
 */
export type Liveness = 'alive' | 'dead' | 'unknown'

/** Where to look; the defaults are this process and the real /proc. */
export interface IdentityOptions {
  readonly self?: ProcessIdentity
  readonly proc?: string
}

const PROC = '/proc'
/** `host:` instead of a boot id, where the platform tells none. */
const COARSE = 'host:'

let own: ProcessIdentity | undefined

/** The identity of this process; all its threads have the same. */
export function currentIdentity(): ProcessIdentity {
  if (own === undefined || own.pid !== process.pid) own = readIdentity(PROC)
  return own
}

/** The identity of a process that this one can see, such as a child; never throws. It is of use if that is alive now. */
export function identityOfPid(pid: number): ProcessIdentity {
  const startTime = parseStat(readText(`${PROC}/${pid}/stat`))?.startTime ?? ''
  return { ...currentIdentity(), pid, startTime }
}

/** Reads the identity of this process from a /proc file system. Never throws: what cannot be read is empty. */
export function readIdentity(proc: string): ProcessIdentity {
  const bootId = readText(`${proc}/sys/kernel/random/boot_id`)?.trim()
  const pidNamespace = readLink(`${proc}/self/ns/pid`)
  const stat = parseStat(readText(`${proc}/self/stat`))
  if (!bootId || pidNamespace === undefined || stat === undefined) {
    return { bootId: COARSE + hostname(), pidNamespace: '', pid: process.pid, startTime: '' }
  }
  return { bootId, pidNamespace, pid: process.pid, startTime: stat.startTime }
}

/**
 * Whether the process with that identity is alive. `unknown` when it ran under another kernel or in another pid
 * namespace than this process, or when the platform does not tell.
 *
 * A stopped process is alive. A process that has ended and was not waited for is dead.
 */
export function livenessOf(identity: ProcessIdentity, options: IdentityOptions = {}): Liveness {
  const self = options.self ?? currentIdentity()
  if (sameProcess(identity, self)) return 'alive'
  if (identity.bootId !== self.bootId || identity.pidNamespace !== self.pidNamespace) return 'unknown'
  if (!isPid(identity.pid)) return 'unknown'
  return self.startTime === '' ? livenessOfPid(identity.pid) : livenessInProc(identity, options.proc ?? PROC)
}

/** Whether both identities are of one process. */
export function sameProcess(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return (
    one.pid === other.pid &&
    one.startTime === other.startTime &&
    one.bootId === other.bootId &&
    one.pidNamespace === other.pidNamespace
  )
}

/**
 * An identity short enough for a file name: `<16 hex>-<pid>-<start time>`. Boot and namespace are hashed: whoever
 * shares them can tell, and they do not leak to who cannot.
 */
export function ownerTag(identity: ProcessIdentity): string {
  return `${worldOf(identity)}-${identity.pid}-${identity.startTime === '' ? 'x' : identity.startTime}`
}

/** As {@link livenessOf}, for an owner tag; `unknown` for what is no owner tag. */
export function livenessOfTag(tag: string, options: IdentityOptions = {}): Liveness {
  const match = /^([0-9a-f]{16})-(\d{1,10})-(\d{1,20}|x)$/.exec(tag)
  const self = options.self ?? currentIdentity()
  if (match === null || match[1] !== worldOf(self)) return 'unknown'
  const startTime = match[3] === 'x' ? '' : String(match[3])
  return livenessOf({ ...self, pid: Number(match[2]), startTime }, options)
}

function worldOf(identity: ProcessIdentity): string {
  const { createHash } = require('node:crypto') as typeof import('node:crypto')
  return createHash('sha256')
    .update(`${identity.bootId}\n${identity.pidNamespace}`)
    .digest('hex')
    .slice(0, 16)
}

function livenessInProc(identity: ProcessIdentity, proc: string): Liveness {
  const stat = parseStat(readText(`${proc}/${identity.pid}/stat`))
  if (stat !== undefined) return stat.ended || stat.startTime !== identity.startTime ? 'dead' : 'alive'
  // A /proc mounted with hidepid shows no processes of other users: then the signal tells that there is one.
  return livenessOfPid(identity.pid)
}

/** A pid that nobody has is dead; one that somebody has may be somebody else's. */
function livenessOfPid(pid: number): Liveness {
  try {
    process.kill(pid, 0)
    return 'unknown'
  } catch (error) {
    return systemCode(error) === 'ESRCH' ? 'dead' : 'unknown'
  }
}

/**
 * State and start time (fields 3 and 22 of proc_pid_stat(5)). Field 2, the command in parentheses, may itself hold
 * blanks and parentheses, so fields are counted from the last one that closes.
 */
function parseStat(text: string | undefined): { startTime: string; ended: boolean } | undefined {
  if (text === undefined) return undefined
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  const startTime = fields[19]
  if (state === undefined || startTime === undefined || !/^\d+$/.test(startTime)) return undefined
  return { startTime, ended: state === 'Z' || state === 'X' }
}

function isPid(pid: number): boolean {
  return Number.isInteger(pid) && pid > 0 && pid <= 0x7fffffff
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
