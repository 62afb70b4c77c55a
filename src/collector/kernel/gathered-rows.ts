import type { Clock } from '../../base/clock'
import { KERNEL_COUNT_MS } from '../../base/kernel-limits'
import type { ErrorRow } from './event'
import type { SafeSpool } from './safe-spool'
import type { Place, Segment } from './segment'
import { changeOf } from './spool-lines'

interface Gathered {
  /** As it was written last. */
  row: ErrorRow
  /** Monotonic milliseconds. */
  writtenAt: number
  place: Place | undefined
}

/**
 * Rows that are not ready to be sent, since more may be counted with them, or they wait for a decision: in the spool from the
 * beginning.
 *
 * A count is written when it has doubled, and when it grows a second or more after it was written. So of the count of a row
 * whose process was killed less than half is missing, and only what came within a second of what is there.
 */
export class GatheredRows {
  readonly #spool: SafeSpool
  readonly #clock: Clock
  readonly #rows = new Map<string, Gathered>()
  #isRewriting = false

  constructor(spool: SafeSpool, clock: Clock) {
    this.#spool = spool
    this.#clock = clock
  }

  /** A row, or one that was begun and has a decision now. In the spool when the call is through. */
  begin(row: ErrorRow): void {
    if (!this.#spool.isThere) return
    const known = this.#rows.get(row.id)
    if (known !== undefined) this.#change(known, row)
    else this.#rows.set(row.id, { row, writtenAt: this.#clock.monotonic(), place: this.#add(row) })
  }

  /** A row counts the event `event` as well; which may have a row until now, and is counted with the other one at once. */
  grow(id: string, event: string, repeat: number, changed: () => ErrorRow): void {
    const known = this.#rows.get(id)
    if (known === undefined) return
    const isDue =
      repeat >= 2 * known.row.repeat || this.#clock.monotonic() - known.writtenAt >= KERNEL_COUNT_MS
    if (this.#rows.has(event)) this.#merge(known, changed(), event)
    else if (isDue) this.#change(known, changed())
  }

  /** The row is ready. @returns where it is in the spool */
  end(row: ErrorRow): Place | undefined {
    const known = this.#rows.get(row.id)
    this.#rows.delete(row.id)
    if (known === undefined) return this.#add(row)
    this.#change(known, row)
    return known.place
  }

  /** Writes what could not be written. */
  save(): void {
    for (const known of this.#rows.values()) known.place ??= this.#add(known.row)
  }

  countIn(segment: Segment): number {
    let count = 0
    for (const { place } of this.#rows.values()) if (place?.segment === segment) count++
    return count
  }

  /** Nothing is in the spool any more. */
  forgetPlaces(): void {
    for (const known of this.#rows.values()) known.place = undefined
  }

  /** A segment of the spool is dropped: what is of these is written again. */
  rewrite(segment: Segment): void {
    const here = [...this.#rows.values()].filter(({ place }) => place?.segment === segment)
    for (const known of here) known.place = undefined
    // There may be more than the spool can hold: those of the next segment that goes stay in memory.
    if (this.#isRewriting) return
    this.#isRewriting = true
    for (const known of here) known.place = this.#add(known.row)
    this.#isRewriting = false
  }

  #merge(known: Gathered, row: ErrorRow, without: string): void {
    const place = this.#rows.get(without)?.place
    this.#rows.delete(without)
    if (place === undefined || known.place === undefined) {
      this.#change(known, row)
      if (place !== undefined) this.#spool.use((spool) => spool.done([without], [place]))
      return
    }
    this.#spool.use((spool) => spool.merge(row.id, changeOf(row), without, place))
    Object.assign(known, { row, writtenAt: this.#clock.monotonic() })
  }

  #change(known: Gathered, row: ErrorRow): void {
    if (known.place === undefined) known.place = this.#add(row)
    else if (row.repeat !== known.row.repeat || row.action !== known.row.action)
      this.#spool.use((spool) => spool.change(row.id, changeOf(row)))
    Object.assign(known, { row, writtenAt: this.#clock.monotonic() })
  }

  #add(row: ErrorRow): Place | undefined {
    return this.#spool.use((spool) => spool.add(row))
  }
}
