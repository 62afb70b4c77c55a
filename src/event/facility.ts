/**
 * Facilities: dotted names of the parts that log, such as `http.server` or `db.pool`. Any text is kept,
 * because it is evidence; only its length is bounded. Empty where none was given.
 */
export const FACILITY_CHARS = 256

/** A facility from whatever was given: text, cut to 256 characters; anything else is no facility. */
export function facilityName(given: unknown): string {
  if (typeof given !== 'string') return ''
  return given.length > FACILITY_CHARS ? given.slice(0, FACILITY_CHARS) : given
}

/**
 * Whether a facility is `prefix` or lies under it: `db` matches `db` and `db.pool`, not `dbx`. Empty matches
 * all.
 */
export function facilityMatches(prefix: string, facility: string): boolean {
  if (prefix === '' || prefix === facility) return true
  return facility.length > prefix.length && facility[prefix.length] === '.' && facility.startsWith(prefix)
}

/**
 * Lookups that are remembered. Programs have dozens of facilities; one that makes up names has no end of
 * them.
 */
const REMEMBERED = 1024

/** Something for each of some facilities and all that lies under it; the longest matching prefix wins. */
export class FacilityTable<T> {
  readonly #entries: ReadonlyMap<string, T>
  #found = new Map<string, T | undefined>()

  /** @param entries by prefix; the empty one is for every facility that no other entry matches */
  constructor(entries: Iterable<readonly [prefix: string, value: T]>) {
    this.#entries = new Map(entries)
  }

  get size(): number {
    return this.#entries.size
  }

  /** What the longest prefix of `facility` has, or undefined. Cheap: asked for every event. */
  find(facility: string): T | undefined {
    if (this.#entries.size === 0) return undefined
    const found = this.#found.get(facility)
    if (found !== undefined || this.#found.has(facility)) return found
    return this.#remember(facility, this.#search(facility))
  }

  #search(facility: string): T | undefined {
    let prefix = facility
    while (!this.#entries.has(prefix) && prefix !== '') {
      prefix = prefix.slice(0, Math.max(0, prefix.lastIndexOf('.')))
    }
    return this.#entries.get(prefix)
  }

  #remember(facility: string, value: T | undefined): T | undefined {
    if (this.#found.size >= REMEMBERED) this.#found = new Map()
    this.#found.set(facility, value)
    return value
  }
}
