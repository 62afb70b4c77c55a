import { type ByteSize, parseBytes } from '../base/bytes'
import { invalidOption } from '../base/errors'
import { RING_BYTES } from '../base/limits'
import { FacilityTable } from '../event/facility'
import { SEVERITY_BANDS, type SeverityBand } from '../event/severity'
import type { RingHandle } from './layout'
import { Ring } from './ring'

/** Bytes per band of severities; what is not named keeps its default. */
export type RingSizes = { readonly [band in SeverityBand]?: ByteSize }

export interface RingSetOptions {
  readonly sizes?: RingSizes
  /** Rings of their own for chatty facilities and all below them. */
  readonly facilities?: Readonly<Record<string, RingSizes>>
  /** Thread that writes; 0 is the main thread. */
  readonly thread?: number
}

/** The rings of one thread: one a band of severities, and those of facilities that have their own. */
export class RingSet {
  readonly thread: number
  readonly rings: readonly Ring[]
  readonly #shared: readonly Ring[]
  readonly #own: FacilityTable<readonly Ring[]>
  readonly #divided: boolean

  /** @throws FlogError FLOG_OPTION_INVALID naming the ring */
  constructor(options: RingSetOptions = {}) {
    const { sizes = {}, facilities = {}, thread = 0 } = options
    this.thread = thread
    checkBands('rings', sizes)
    this.#shared = SEVERITY_BANDS.map((severity) => {
      const bytes = parseBytes(`rings.${severity}`, sizes[severity] ?? RING_BYTES[severity])
      return new Ring({ severity, thread, bytes })
    })
    const own: Ring[] = []
    const entries = Object.entries(facilities).map(([facility, bands]) => {
      checkBands(`facilities.${facility}`, bands)
      const rings = SEVERITY_BANDS.map((severity, band) => {
        const size = bands[severity]
        if (size === undefined) return this.#shared[band] as Ring
        const bytes = parseBytes(`facilities.${facility}.${severity}`, size)
        const ring = new Ring({ severity, facility, thread, bytes })
        own.push(ring)
        return ring
      })
      return [facility, rings] as const
    })
    this.#own = new FacilityTable(entries)
    this.#divided = entries.length > 0
    this.rings = [...this.#shared, ...own]
  }

  get handles(): readonly RingHandle[] {
    return this.rings.map((ring) => ring.handle)
  }

  /** Bytes of all rings together. */
  get capacityBytes(): number {
    return this.rings.reduce((sum, ring) => sum + ring.capacityBytes, 0)
  }

  /** The ring for an event. @param severity 1–24 */
  select(severity: number, facility: string): Ring {
    const band = (severity - 1) >> 2
    if (!this.#divided || facility === '') return this.#shared[band] as Ring
    return (this.#own.find(facility) ?? this.#shared)[band] as Ring
  }
}

function checkBands(option: string, sizes: unknown): void {
  if (typeof sizes !== 'object' || sizes === null)
    throw invalidOption(option, 'an object of sizes by severity', sizes)
  for (const name of Object.keys(sizes)) {
    if (!(SEVERITY_BANDS as readonly string[]).includes(name)) {
      throw invalidOption(`${option}.${name}`, `a severity's name (${SEVERITY_BANDS.join(', ')})`, name)
    }
  }
}
