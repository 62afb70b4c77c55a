import { closeSync, openSync, writeSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../base/clock'
import { FlogError } from '../../base/errors'
import { currentIdentity, ownerTag } from '../../base/identity'
import type { ProcessIdentity } from '../../base/process-identity'
import { type Random, randomHex, systemRandom } from '../../base/random'
import { decodeEvent } from '../../codec/decode'
import { EventEncoder } from '../../codec/encoder'
import type { LogEvent } from '../../event/event'
import { Redactor } from '../../event/redact'
import { FATAL } from '../../event/severity'
import { mergeHistory } from '../../ring/merge'
import { openingBytes, trailerBlock } from '../block'
import type { IncidentDirectory } from '../directory'
import { CREATE_NEW, unlinkIfThere } from '../files'
import { fingerprintOf } from '../fingerprint'
import { type FinishedIncident, finishIncident } from '../finish'
import { FORMAT_MAJOR, FORMAT_MINOR, type IncidentHeader } from '../header'
import { HistoryWriter } from '../history'
import { BLOCK_HEAD_BYTES, readBlockHead, SYNC_BYTES } from '../layout'
import { locateIncidents } from '../listing'
import { claimPath, parseIncidentId, plainFileName, temporaryPath } from '../name'
import { asHeader } from '../shape'
import type { ImageFindings } from './image'
import { type BlackBoxContents, readBlackBox } from './read'

/** How a process ended, as far as its parent was told. */
export interface ProcessExit {
  readonly code?: number
  /** `SIGKILL` and so on. */
  readonly signal?: string
}

export interface RecoverOptions {
  /** Where the incident goes. */
  readonly directory: IncidentDirectory
  readonly clock: Clock
  readonly random?: Random
  /** On whose behalf; default this process. */
  readonly self?: ProcessIdentity
  readonly exitOf?: ((process: ProcessIdentity) => ProcessExit | undefined) | undefined
  readonly signal?: AbortSignal
}

/** What is known of a process that died. */
interface Death {
  readonly contents: BlackBoxContents
  readonly rings: readonly ImageFindings[]
  /** When its black box was written last, or it logged last: microseconds since the epoch. */
  readonly time: number
  readonly event: LogEvent
  readonly payload: Uint8Array
  readonly reason: string
}

const FACILITY = 'flog.process'
/** Year 9999: file names take no later one. */
const LAST_TIME = Date.UTC(9999, 11, 31) * 1000

/**
 * Makes a finished incident of the black box of a dead process: trigger `died`, and before it everything that its rings
 * held. The black box stays; who called removes it.
 *
 * ```
 *   black box ──> temporary plain file ──rename──> claim ──compressed, verified──> finished
 * ```
 * The file has a name that others look at only when it is complete. The id is the one that the process reserved, so doing
 * this again, or in two processes at once, makes the same incident.
 * @returns undefined where the incident is there already
 * @throws what {@link readBlackBox} and {@link finishIncident} throw; the system's errors
 */
export async function recoverBlackBox(
  path: string,
  options: RecoverOptions,
): Promise<FinishedIncident | undefined> {
  const { directory, clock, random = systemRandom, self = currentIdentity(), signal } = options
  const contents = await readBlackBox(path, signal)
  const { id } = contents.header
  if ((await directory.locate(id)).length > 0) return undefined
  const death = await examined(contents, options)
  const header = headerOf(path, death, await openIncidentOf(directory, death))
  const plain = join(directory.path, plainFileName(header.openedAt, id))
  const temporary = temporaryPath(plain, ownerTag(self), randomHex(random, 4))
  const claim = claimPath(plain, ownerTag(self))
  try {
    directory.ensureSync()
    writePlain(temporary, header, death, options)
    await rename(temporary, claim)
  } catch (error) {
    await unlinkIfThere(temporary).catch(() => false)
    throw error
  }
  try {
    const { fileMode } = directory
    return await finishIncident(claim, { clock, random, fileMode, ...(signal !== undefined && { signal }) })
  } catch (error) {
    // It is complete, and whoever looks next finishes it as any other that a dead process left.
    await rename(claim, plain).catch(() => {})
    throw error
  }
}

async function examined(contents: BlackBoxContents, options: RecoverOptions): Promise<Death> {
  const { header, superblock, images } = contents
  const rings: ImageFindings[] = []
  for (const image of images) rings.push(await image.examine(options.signal))
  const highest = Math.max(superblock?.published ?? -1, ...rings.map((ring) => ring.highest))
  const newest = rings.reduce<LogEvent | undefined>(later, undefined)
  const lastSign = Math.max(superblock?.time ?? header.startedAt, newest?.time ?? 0)
  const time = Math.trunc(Math.min(Math.max(lastSign, 0), LAST_TIME)) || 0
  const { process } = header.origin
  const exit = options.exitOf?.(process) ?? {}
  const fields = {
    pid: process.pid,
    ...exit,
    ...(newest !== undefined && { lastEventMs: (time - newest.time) / 1000 }),
    overruns: (superblock?.rings ?? []).reduce((sum, ring) => sum + ring.overruns, 0),
    ...(contents.unreadable > 0 && { unreadableRings: contents.unreadable }),
  }
  const encoder = new EventEncoder(new Redactor({ defaults: false }))
  const length = encoder.encode(time, FATAL, messageOfDeath(exit), FACILITY, fields)
  encoder.stamp(Math.min(highest + 1, Number.MAX_SAFE_INTEGER))
  const payload = encoder.bytes.slice(0, length)
  return { contents, rings, time, event: decodeEvent(payload), payload, reason: reasonOf(exit) }
}

function later(newest: LogEvent | undefined, ring: ImageFindings): LogEvent | undefined {
  return ring.newest !== undefined && ring.highest > (newest?.seq ?? -1) ? ring.newest : newest
}

function messageOfDeath({ code, signal }: ProcessExit): string {
  if (signal !== undefined) return 'process {pid} died of {signal}'
  return code === undefined ? 'process {pid} died' : 'process {pid} died with exit code {code}'
}

function reasonOf({ code, signal }: ProcessExit): string {
  if (signal !== undefined) return `ended by ${signal}`
  return code === undefined ? 'it ended without closing its black box' : `ended with exit code ${code}`
}

/** The incident in whose window the process died: left open, or finished by somebody else. */
async function openIncidentOf(
  directory: IncidentDirectory,
  { contents }: Death,
): Promise<string | undefined> {
  const { incarnation } = parseIncidentId(contents.header.id) ?? { incarnation: '' }
  const { located } = await locateIncidents(
    directory.path,
    (file) => file.id?.startsWith(`${incarnation}-`) === true,
  )
  const open = located.filter(({ summary }) => {
    const { closeReason, trigger } = summary
    return trigger.kind !== 'died' && (closeReason === undefined || closeReason === 'adopted')
  })
  return open.sort((a, b) => b.summary.number - a.summary.number)[0]?.summary.id
}

function headerOf(path: string, death: Death, relatedTo: string | undefined): IncidentHeader {
  const { header } = death.contents
  const { event, reason } = death
  const value = {
    ...header.origin,
    type: 'incident',
    format: `${FORMAT_MAJOR}.${FORMAT_MINOR}`,
    id: header.id,
    ...parseIncidentId(header.id),
    openedAt: death.time,
    trigger: { kind: 'died', reason, fingerprint: fingerprintOf(event), event },
    rings: death.rings.map(({ state }) => state),
    suppressed: { perHour: 0, perFingerprint: 0, coolDown: 0 },
    postTrigger: { events: 0, ms: 0 },
    ...(relatedTo !== undefined && { relatedTo }),
  }
  try {
    return asHeader(value as never)
  } catch (cause) {
    if (!FlogError.is(cause, 'FLOG_VALUE_MALFORMED')) throw cause
    const message = `the black box ${path} says of its process what no incident may say: ${cause.message}`
    throw new FlogError('FLOG_FILE_CORRUPT', message, { cause, details: { path } })
  }
}

/** In one go: merging eight megabytes and handing them to the system takes some ten milliseconds. */
function writePlain(path: string, header: IncidentHeader, death: Death, options: RecoverOptions): void {
  const { directory, clock, random = systemRandom } = options
  const { event, payload, contents } = death
  const sync = random.bytes(SYNC_BYTES)
  const fd = openSync(path, CREATE_NEW, directory.fileMode)
  try {
    let total = 0
    writeAllSync(fd, openingBytes(header, sync))
    const writer = new HistoryWriter(sync, { seq: event.seq, payload }, (bytes) => {
      total += eventsIn(bytes)
      writeAllSync(fd, bytes)
    })
    const rings = contents.images.map(({ handle }) => handle)
    writer.take((target) => mergeHistory(rings, target, { ownThread: 0, until: event.seq }))
    const trailer = {
      closedAt: clock.now(),
      reason: 'adopted' as const,
      events: { total, history: total, after: 0 },
      furtherTriggers: [],
      furtherTriggersOmitted: 0,
      lost: 0,
    }
    writeAllSync(fd, trailerBlock(trailer, sync))
  } finally {
    closeSync(fd)
  }
}

function eventsIn(blocks: Uint8Array): number {
  let events = 0
  for (let at = 0; at < blocks.length; ) {
    const head = readBlockHead(blocks, at)
    events += head.events
    at += BLOCK_HEAD_BYTES + head.length
  }
  return events
}

function writeAllSync(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done)
}
