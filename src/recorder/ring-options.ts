import { parseBytes } from '../base/bytes'
import { invalidOption } from '../base/errors'
import { HEALTH_RING_BYTES, WORKER_RING_BYTES } from '../base/limits'
import { SEVERITY_BANDS, type SeverityBand } from '../event/severity'
import { RingSet, type RingSizes } from '../ring/set'
import type { Settings } from './options'

export const HEALTH_FACILITY = 'process.health'
/** A ring takes events up to half its size, with something to spare for what is kept beside each. */
const EVENTS_PER_RING = 4

/**
 * The rings of one recorder.
 * @param thread that writes; a worker thread that joined its process has smaller ones, and no samples of health
 * @throws FlogError FLOG_OPTION_INVALID, also where events may be too long for a ring
 */
export function ringsOf(settings: Settings, thread: number): RingSet {
  const { rings: sizes, eventBytes } = settings
  const facilities = thread === 0 ? withHealth(settings) : settings.facilities
  const rings = new RingSet({
    thread,
    ...(thread === 0
      ? sizes !== undefined && { sizes }
      : { sizes: { ...workerSizes(eventBytes), ...sizes } }),
    ...(facilities !== undefined && { facilities }),
  })
  const room = Math.min(...rings.rings.map((ring) => ring.largestEvent))
  if (eventBytes > room)
    throw invalidOption('eventBytes', `at most half the smallest ring, ${room}`, eventBytes)
  return rings
}

/** What may be logged in the main thread may be logged in a worker. */
function workerSizes(eventBytes: number): RingSizes {
  const sizes = SEVERITY_BANDS.map((band: SeverityBand) => {
    const bytes = Math.max(WORKER_RING_BYTES[band], EVENTS_PER_RING * eventBytes)
    return [band, parseBytes(`rings.${band}`, bytes)]
  })
  return Object.fromEntries(sizes)
}

/** Samples of the process's health come every second: in a ring that others share they would soon be gone. */
function withHealth({ sidecar, facilities }: Settings): Settings['facilities'] {
  if (sidecar === undefined || sidecar.healthMs === 0) return facilities
  return { [HEALTH_FACILITY]: { debug: HEALTH_RING_BYTES }, ...facilities }
}
