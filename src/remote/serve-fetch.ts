import { createHash } from 'node:crypto'
import { FlogError } from '../base/errors'
import { REMOTE_CHUNK_BYTES } from '../base/limits'
import { parseIncidentId, type Representation } from '../incident/name'
import type { Outgoing } from './outgoing'
import type { FetchOffer } from './protocol'
import type { IncidentSource, OpenedIncident } from './source'
import type { Fields } from './wire'

export const SHA256 = /^[0-9a-f]{64}$/
export const REPRESENTATIONS: readonly Representation[] = ['gzip', 'open']
/** Bytes that are hashed at once: well below a millisecond. */
const HASH_BYTES = 256 * 1024

interface Resume extends FetchOffer {
  readonly offset: number
}

/** Sends one representation of an incident: an offer, then chunks. The file is held open meanwhile. */
export async function serveFetch(source: IncidentSource, params: Fields, out: Outgoing): Promise<void> {
  const id = params.text('incident', 64)
  if (parseIncidentId(id) === undefined) throw new FlogError('FLOG_REMOTE_REQUEST', 'that is no incident id')
  const resume = params.has('resume') ? parseResume(params.inner('resume')) : undefined
  const { representation, file } = await openBest(source, id, resume)
  try {
    const offer = await offerOf(representation, file, resume, out.signal)
    if (offer === undefined) return
    const offset = offer.sha256 === resume?.sha256 && offer.size === resume.size ? resume.offset : 0
    const openedAt = file.openedAt ?? (await openedAtOf(source, id))
    if (!(await out.whenReady())) return
    out.item({ offer, offset, openedAt })
    await sendChunks(file, offset, offer.size, out)
    out.result({})
  } finally {
    await file.close()
  }
}

async function sendChunks(file: OpenedIncident, offset: number, size: number, out: Outgoing): Promise<void> {
  for (let at = offset; at < size; ) {
    if (!(await out.whenReady())) return
    const data = await readSome(file, at, Math.min(REMOTE_CHUNK_BYTES, size - at))
    out.item({ data })
    at += data.length
  }
}

/**
 * The finished file where there is one; the open one while a fetch of it is resumed or nothing else is there.
 */
async function openBest(
  source: IncidentSource,
  id: string,
  resume: Resume | undefined,
): Promise<{ representation: Representation; file: OpenedIncident }> {
  // Between two looks an incident may be finished, so that the finished one is looked for once more
  const order: readonly Representation[] =
    resume?.representation === 'open' ? ['open', 'gzip'] : ['gzip', 'open', 'gzip']
  let unknown: unknown
  for (const representation of order) {
    try {
      return { representation, file: await source.open(id, representation) }
    } catch (error) {
      if (!FlogError.is(error, 'FLOG_INCIDENT_UNKNOWN')) throw error
      unknown ??= error
    }
  }
  throw FlogError.is(unknown)
    ? new FlogError('FLOG_INCIDENT_UNKNOWN', `there is no incident ${id} here any more`)
    : unknown
}

/**
 * What is offered: where an open incident has grown since, the same bytes as before, if they still are the
 * same.
 */
async function offerOf(
  representation: Representation,
  file: OpenedIncident,
  resume: Resume | undefined,
  signal: AbortSignal,
): Promise<FetchOffer | undefined> {
  const mayHaveGrown = representation === 'open' && resume?.representation === 'open'
  if (mayHaveGrown && resume.size < file.size) {
    const sha256 = await hash(file, resume.size, signal)
    if (sha256 === resume.sha256) return { representation, size: resume.size, sha256 }
  }
  const sha256 = file.sha256 ?? (await hash(file, file.size, signal))
  return sha256 === undefined ? undefined : { representation, size: file.size, sha256 }
}

/** Undefined where the signal came before the end: nobody wants it any more. */
async function hash(file: OpenedIncident, size: number, signal: AbortSignal): Promise<string | undefined> {
  const sha256 = createHash('sha256')
  for (let at = 0; at < size; ) {
    if (signal.aborted) return undefined
    const data = await readSome(file, at, Math.min(HASH_BYTES, size - at))
    sha256.update(data)
    at += data.length
  }
  return sha256.digest('hex')
}

async function readSome(file: OpenedIncident, position: number, length: number): Promise<Uint8Array> {
  const data = await file.read(position, length)
  if (data.length === 0)
    throw new FlogError('FLOG_REMOTE_FAILED', 'the file became shorter while it was read')
  return data
}

async function openedAtOf(source: IncidentSource, id: string): Promise<number> {
  const summary = (await source.list()).find((one) => one.id === id)
  return summary?.openedAt ?? 0
}

function parseResume(fields: Fields): Resume {
  const size = fields.count('size')
  return {
    representation: fields.oneOf('representation', REPRESENTATIONS),
    size,
    sha256: fields.matching('sha256', SHA256, 'a SHA-256 in hexadecimal'),
    offset: fields.count('offset', size),
  }
}
