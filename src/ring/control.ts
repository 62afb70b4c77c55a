/**
 * The control block: what all threads of one process share beside the rings.
 *
 * Sequence numbers are 53 bits wide but drawn by one atomic 32-bit addition. The upper part is kept twice: one half is in
 * use while the counter runs through its lower 2^31, the other through its upper 2^31, and each is brought up to date by
 * whoever draws the number in the middle of the other's range. A thread that stops between drawing and looking up the
 * upper part would have to sleep for 2^30 events to read a wrong one.
 */
const SEQ = 0
const UPPER_EVEN = 1
const UPPER_ODD = 2
const INCIDENT_NUMBER = 4
const BEAT = 5
const PUBLISHERS = 6
const DEBUGGED = 7
/** Indices into the same memory seen as float64. */
const FIRST_SEQ_F64 = 8
const CLOCK_ANCHOR_F64 = 9
/** One for each thread that publishes, so that none writes over the other's; the last one is for all further threads. */
const PUBLISHED_F64 = 16
const PUBLISHED_SLOTS = 64
const CONTROL_BYTES = (PUBLISHED_F64 + PUBLISHED_SLOTS) * 8

export class ControlBlock {
  readonly memory: SharedArrayBuffer
  /** One element, for the process's clock. */
  readonly clockAnchor: Float64Array
  readonly #words: Int32Array
  readonly #floats: Float64Array
  /** Where this thread notes what it published; 0 until it did. */
  #slot = 0

  /** @param from another thread's block, or the first `seq` of a new one (tests start near the wrap) */
  constructor(from: SharedArrayBuffer | number = 0) {
    this.memory = typeof from === 'number' ? new SharedArrayBuffer(CONTROL_BYTES) : from
    this.#words = new Int32Array(this.memory)
    this.#floats = new Float64Array(this.memory)
    this.clockAnchor = this.#floats.subarray(CLOCK_ANCHOR_F64, CLOCK_ANCHOR_F64 + 1)
    if (typeof from === 'number') this.#startAt(from)
  }

  /** Draws the next sequence number. */
  nextSeq(): number {
    const low = Atomics.add(this.#words, SEQ, 1)
    if ((low & 0x7fffffff) === 0x40000000) this.#prepareOtherHalf(low)
    const upper = this.#words[low < 0 ? UPPER_ODD : UPPER_EVEN] as number
    return upper === 0 ? low >>> 0 : upper * 0x100000000 + (low >>> 0)
  }

  /** The highest `seq` that is in a ring; one below the first where none is. Readers of several rings read up to here. */
  get published(): number {
    const slots = Math.min(Atomics.load(this.#words, PUBLISHERS), PUBLISHED_SLOTS)
    let next = this.#floats[FIRST_SEQ_F64] as number
    for (let i = 0; i < slots; i++) next = Math.max(next, this.#floats[PUBLISHED_F64 + i] as number)
    return next - 1
  }

  /** Told after an event is in its ring. Events may arrive out of order by a few; the highest counts. */
  publish(seq: number): void {
    if (this.#slot === 0) this.#slot = this.#claimSlot()
    if (seq >= (this.#floats[this.#slot] as number)) this.#floats[this.#slot] = seq + 1
  }

  /** 1, 2, 3 … in the order of incidents. */
  nextIncidentNumber(): number {
    return Atomics.add(this.#words, INCIDENT_NUMBER, 1) + 1
  }

  /** Counts up as long as the app thread turns its event loop. */
  beat(): void {
    Atomics.add(this.#words, BEAT, 1)
  }

  get beats(): number {
    return Atomics.load(this.#words, BEAT)
  }

  /** Whether a debugger may hold the app thread, as that thread last said. */
  get debugged(): boolean {
    return Atomics.load(this.#words, DEBUGGED) !== 0
  }

  set debugged(debugged: boolean) {
    Atomics.store(this.#words, DEBUGGED, debugged ? 1 : 0)
  }

  #startAt(seq: number): void {
    const upper = Math.floor(seq / 0x100000000)
    const low = seq % 0x100000000
    this.#words[SEQ] = low
    this.#words[UPPER_EVEN] = low > 0xc0000000 ? upper + 1 : upper
    this.#words[UPPER_ODD] = low < 0x40000000 ? Math.max(upper - 1, 0) : upper
    this.#floats[FIRST_SEQ_F64] = seq
  }

  #claimSlot(): number {
    return PUBLISHED_F64 + Math.min(Atomics.add(this.#words, PUBLISHERS, 1), PUBLISHED_SLOTS - 1)
  }

  /** In the middle of the lower half the upper one is prepared, and the other way round. */
  #prepareOtherHalf(low: number): void {
    if (low < 0) Atomics.add(this.#words, UPPER_EVEN, 1)
    else Atomics.store(this.#words, UPPER_ODD, Atomics.load(this.#words, UPPER_EVEN))
  }
}
