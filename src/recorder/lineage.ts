import { isAbsolute } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { currentIdentity } from '../base/identity'
import { TRIGGER_TEXT_CHARS } from '../base/limits'

/** The environment variable by which the processes that a process starts know whose they are: JSON, not secret. */
export const PARENT_VARIABLE = 'FLIGHT_LOG_PARENT'

/** What a process with a recorder passes on to those it starts, and they to theirs. */
export interface Lineage {
  readonly service: string
  readonly version: string
  /** Absolute path of its incident directory. */
  readonly directory: string
  readonly pid: number
  /** Start time as in the process's identity. */
  readonly startTime: string
  readonly label?: string
}

interface Shared {
  /** The variable as it was when the process started. */
  readonly original: string | undefined
  /** What the open recorders pass on, the oldest first. */
  readonly passedOn: Set<{ readonly text: string }>
}

/** One for all recorders of the process, also those of a second copy of this package. */
const KEY = Symbol.for('flight-log.lineage.1')
const PATH_CHARS = 4096

/**
 * Whose child this process is, from its environment; undefined where no parent has a recorder. A worker thread inherits
 * from its own process. Never throws: a variable that makes no sense is none.
 */
export function inheritedLineage(): Lineage | undefined {
  return parseLineage(sharedState().original)
}

/**
 * Puts `lineage` into the environment, for processes started from now on. Where several recorders do, the oldest counts.
 * @returns a function that takes it back
 */
export function passOn({
  service,
  version,
  directory,
  label,
}: Omit<Lineage, 'pid' | 'startTime'>): () => void {
  const { passedOn } = sharedState()
  const { pid, startTime } = currentIdentity()
  const entry = { text: JSON.stringify({ service, version, directory, pid, startTime, label }) }
  passedOn.add(entry)
  setVariable()
  return () => {
    if (passedOn.delete(entry)) setVariable()
  }
}

/** `cluster worker 2`, `child of 4711`, or `descendant of 4711` where others are in between; a thread has its process's. */
export function labelOf(lineage: Lineage | undefined): string | undefined {
  if (lineage !== undefined && isOwn(lineage)) return lineage.label
  const worker = clusterWorkerId()
  if (worker !== undefined) return `cluster worker ${worker}`
  if (lineage === undefined) return undefined
  return `${lineage.pid === process.ppid ? 'child' : 'descendant'} of ${lineage.pid}`
}

/** Without a channel to a parent there is no cluster to be loaded. */
function clusterWorkerId(): number | undefined {
  if (!isMainThread || typeof process.send !== 'function') return undefined
  const cluster = require('node:cluster') as typeof import('node:cluster').default
  return cluster.worker?.id
}

function parseLineage(text: string | undefined): Lineage | undefined {
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isLineage(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isLineage(value: unknown): value is Lineage {
  if (typeof value !== 'object' || value === null) return false
  const { service, version, directory, pid, startTime, label } = value as { [key in keyof Lineage]: unknown }
  return (
    isText(service) &&
    service !== '' &&
    isText(version) &&
    isText(directory, PATH_CHARS) &&
    isAbsolute(directory) &&
    !directory.includes('\0') &&
    Number.isSafeInteger(pid) &&
    isText(startTime) &&
    (label === undefined || isText(label))
  )
}

function isText(value: unknown, chars = TRIGGER_TEXT_CHARS): value is string {
  return typeof value === 'string' && value.length <= chars
}

/** In a container the parent may have had the same pid. */
function isOwn({ pid, startTime }: Lineage): boolean {
  const own = currentIdentity()
  return pid === own.pid && startTime === own.startTime
}

function setVariable(): void {
  const { original, passedOn } = sharedState()
  const [oldest] = passedOn
  const text = oldest?.text ?? original
  if (text === undefined) delete process.env[PARENT_VARIABLE]
  else process.env[PARENT_VARIABLE] = text
}

function sharedState(): Shared {
  const holder = globalThis as { [KEY]?: Shared }
  holder[KEY] ??= { original: process.env[PARENT_VARIABLE], passedOn: new Set() }
  return holder[KEY]
}
