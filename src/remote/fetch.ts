import { FlogError } from '../base/errors'
import { REMOTE_FETCH_BYTES } from '../base/limits'
import { parseIncidentId, plainFileName, type Representation } from '../incident/name'
import { isLost, type Sessions } from './connection'
import { Download } from './download'
import type { FetchOffer } from './protocol'
import { parseOffer } from './shapes'
import type { ItemStream, SubscriberSession } from './subscribe'
import { protocolError } from './wire'

export interface FetchProgress {
  /** Bytes of the file that are here, and that it has. */
  readonly received: number
  readonly total: number
  /** Bytes that were here before this fetch. */
  readonly resumedFrom: number
}

export interface FetchedIncident {
  readonly path: string
  readonly id: string
  /** `gzip`: the finished file. `open`: a snapshot of an incident that was still open; its name says so. */
  readonly representation: Representation
  readonly bytes: number
  readonly sha256: string
}

export interface FetchRequest {
  readonly id: string
  /** Directory that gets the file. */
  readonly to: string
  readonly maxBytes?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined
}

/** Bytes that arrive with another checksum than announced are thrown away and fetched again, this often. */
const ATTEMPTS = 2

/**
 * Brings an incident file here: whole and checked under its own name, or not at all. What came of a fetch
 * that was interrupted, by a lost connection or by the end of this process, is taken up again where it
 * stopped.
 */
export async function fetchIncident(sessions: Sessions, request: FetchRequest): Promise<FetchedIncident> {
  if (parseIncidentId(request.id) === undefined) {
    throw new FlogError(
      'FLOG_INCIDENT_UNKNOWN',
      'an incident id is 16 hexadecimal digits, a dash and a number',
    )
  }
  for (let mismatches = 0; ; ) {
    const { session } = await sessions.next(request.signal)
    try {
      return await fetchOver(session, request)
    } catch (error) {
      if (FlogError.is(error, 'FLOG_FETCH_MISMATCH') && ++mismatches < ATTEMPTS) continue
      if (!isLost(error)) throw error
    }
  }
}

async function fetchOver(session: SubscriberSession, request: FetchRequest): Promise<FetchedIncident> {
  const { id, to, signal } = request
  const resume = await Download.findPartial(to, id)
  const stream = session.stream('fetch', { incident: id, ...(resume !== undefined && { resume }) }, signal)
  try {
    const first = await stream.next()
    if (first === undefined) throw protocolError('a fetch without an offer')
    const { offset, openedAt, ...offer } = parseOffer(first)
    expectAllowed(offer, offset, resume, request)
    const name = fileName(id, openedAt, offer.representation)
    const fetched = { id, representation: offer.representation, bytes: offer.size, sha256: offer.sha256 }
    const present = await Download.findWhole(to, name, offer)
    if (present !== undefined) return { path: present, ...fetched }
    const download = await Download.start(to, id, offer, offset)
    return { path: await receive(stream, download, offer, name, request), ...fetched }
  } finally {
    stream.cancel()
  }
}

/** A publisher says how much will come, and from where on; it does not get to fill the disk, or to leave a hole. */
function expectAllowed(
  { size, sha256 }: FetchOffer,
  offset: number,
  resume: (FetchOffer & { readonly offset: number }) | undefined,
  { id, maxBytes = REMOTE_FETCH_BYTES }: FetchRequest,
): void {
  const goesOn = resume?.offset === offset && resume.sha256 === sha256 && resume.size === size
  if (offset !== 0 && !goesOn) throw protocolError('a fetch that begins where nothing is')
  if (size <= maxBytes) return
  const message = `incident ${id} has ${size} bytes, more than the ${maxBytes} that are taken`
  throw new FlogError('FLOG_FETCH_TOO_LARGE', message, { details: { size, maxBytes } })
}

async function receive(
  stream: ItemStream,
  download: Download,
  offer: FetchOffer,
  name: string,
  { onProgress }: FetchRequest,
): Promise<string> {
  const resumedFrom = download.received
  const tell = (): void => onProgress?.({ received: download.received, total: offer.size, resumedFrom })
  try {
    tell()
    for (let item = await stream.next(); item !== undefined; item = await stream.next()) {
      await download.write(item.bytes('data', 1, offer.size - download.received))
      tell()
    }
    return await download.finish(name)
  } finally {
    await download.close()
  }
}

function fileName(id: string, openedAt: number, representation: Representation): string {
  const plain = plainFileName(openedAt, id)
  return representation === 'gzip' ? `${plain}.gz` : plain.replace('.incident.flog', '.snapshot.flog')
}
