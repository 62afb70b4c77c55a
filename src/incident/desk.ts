/**
 * Who of a process's threads reports. One incident is written at a time: a thread whose event qualifies while another one
 * writes hands the event over, and writes a file of its own only if that one does not take it in time.
 *
 * ```
 *   owner          0 ──claim──> thread ──release──> 0
 *   handed over    free ──reserve──> filling ──offer──> ready ──take──> taken ──done──> done ──collect──> free
 *                    ^────────────withdraw──────────────┘  ^──giveBack──┘ └──abandon──> abandoned ──done, giveBack──> free
 * ```
 * A slot is marked with the thread that hands over: threads may be terminated between any two of these steps, and what a
 * dead one began must not stay for ever ({@link evict}).
 *
 * Each method is one atomic step on shared memory (`offer` publishes with its last one), so that every order in which
 * threads may meet is an order of method calls; the test goes through all of them, with deaths at every point.
 */
const OWNER = 0
const NUMBER = 1
const ENDING = 2
const FIRST_STATE = 4
/** Triggers that may wait for one owner; with more, threads write files of their own. */
const SLOTS = 16
/** Index into the same memory seen as float64. */
const FIRST_SEQ_F64 = (FIRST_STATE + SLOTS) / 2

const FREE = 0
const FILLING = 1
const READY = 2
const TAKEN = 3
const DONE = 4
const ABANDONED = 5
/** Low bits of a slot's word; above them is the thread that hands over. */
const STATE_BITS = 3
const STATE_MASK = (1 << STATE_BITS) - 1

export interface HandedOver {
  readonly slot: number
  /** Of the event that qualified. */
  readonly seq: number
}

export class ReportDesk {
  readonly memory: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #seqs: Float64Array

  /** @param memory of the desk, from another thread; default a new one */
  constructor(memory = new SharedArrayBuffer((FIRST_SEQ_F64 + SLOTS) * 8)) {
    this.memory = memory
    this.#words = new Int32Array(memory)
    this.#seqs = new Float64Array(memory)
  }

  /** Thread that reports, 0 for none. */
  get owner(): number {
    return Atomics.load(this.#words, OWNER)
  }

  /** Number of the incident that is written, as the owner noted it; 0 where it did not yet. */
  get number(): number {
    return Atomics.load(this.#words, NUMBER)
  }

  /** @param thread above 0 @returns false where a thread reports already */
  claim(thread: number): boolean {
    return Atomics.compareExchange(this.#words, OWNER, 0, thread) === 0
  }

  note(number: number): void {
    Atomics.store(this.#words, NUMBER, number)
  }

  release(thread: number): void {
    Atomics.compareExchange(this.#words, OWNER, thread, 0)
    Atomics.notify(this.#words, OWNER)
  }

  /** Whether the process ends, and the owner had better come to its end. */
  get isEnding(): boolean {
    return Atomics.load(this.#words, ENDING) !== 0
  }

  /** The process ends in order: blocks until another thread's report is complete, at most `ms`. */
  end(thread: number, ms: number): void {
    Atomics.store(this.#words, ENDING, 1)
    const owner = this.owner
    if (owner !== 0 && owner !== thread) Atomics.wait(this.#words, OWNER, owner, ms)
  }

  /** A slot for what `thread` is about to hand over. @returns -1 where all are taken */
  reserve(thread: number): number {
    const filling = FILLING | (thread << STATE_BITS)
    for (let slot = 0; slot < SLOTS; slot++) {
      if (Atomics.compareExchange(this.#words, FIRST_STATE + slot, FREE, filling) === FREE) return slot
    }
    return -1
  }

  /** @param slot reserved @param seq of the event that qualified */
  offer(slot: number, seq: number): void {
    this.#seqs[FIRST_SEQ_F64 + slot] = seq
    this.#move(slot, FILLING, READY)
  }

  /** For the owner: the next trigger that was handed over. */
  take(): HandedOver | undefined {
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#move(slot, READY, TAKEN)) return { slot, seq: this.#seqs[FIRST_SEQ_F64 + slot] as number }
    }
    return undefined
  }

  /** For the owner: what was taken is in the file. */
  done(slot: number): void {
    if (this.#move(slot, TAKEN, DONE)) Atomics.notify(this.#words, FIRST_STATE + slot)
    else this.#move(slot, ABANDONED, FREE)
  }

  /** For the owner: what was taken did not get into the file. @returns false where it was not taken */
  giveBack(slot: number): boolean {
    if (!this.#move(slot, TAKEN, READY)) return this.#move(slot, ABANDONED, FREE)
    Atomics.notify(this.#words, FIRST_STATE + slot)
    return true
  }

  /** For who handed over: whether it is in the file; the slot is free again then. */
  collect(slot: number): boolean {
    return this.#move(slot, DONE, FREE)
  }

  /** For who handed over: takes it back. @returns false where the owner has taken it */
  withdraw(slot: number): boolean {
    return this.#move(slot, READY, FREE)
  }

  /** For who handed over and waits no longer, though it was taken. @returns false where it is in the file after all */
  abandon(slot: number): boolean {
    return this.#move(slot, TAKEN, ABANDONED)
  }

  /** Blocks until the state of a slot changes, at most `ms`. Not for the owner. */
  wait(slot: number, ms: number): void {
    const word = Atomics.load(this.#words, FIRST_STATE + slot)
    const state = word & STATE_MASK
    if (state === READY || state === TAKEN) Atomics.wait(this.#words, FIRST_STATE + slot, word, ms)
  }

  /** For a dead thread: nobody collects what it handed over in this slot. @returns false where there is nothing of it */
  disown(slot: number, thread: number): boolean {
    // What it was doing is done by nobody else, but an owner may go on with what it handed over.
    for (;;) {
      const word = Atomics.load(this.#words, FIRST_STATE + slot)
      const state = word & STATE_MASK
      if (state === FREE || state === ABANDONED || word >> STATE_BITS !== thread) return false
      if (this.#move(slot, state, state === TAKEN ? ABANDONED : FREE)) return true
    }
  }

  /** The thread that hands over stays what it is until the slot is free. */
  #move(slot: number, from: number, to: number): boolean {
    const word = Atomics.load(this.#words, FIRST_STATE + slot)
    if ((word & STATE_MASK) !== from) return false
    const moved = to === FREE ? FREE : (word & ~STATE_MASK) | to
    return Atomics.compareExchange(this.#words, FIRST_STATE + slot, word, moved) === word
  }
}

/**
 * `claimed`: the caller reports. `handed over`: the owner has the event in its file. `alone`: the owner did not take it, the
 * caller writes a file of its own beside it.
 */
export type Arbitration = 'claimed' | 'handed over' | 'alone'

/** What a step waits for: a slot to change. Everything else goes on at once. */
type Steps = Generator<{ readonly slot: number } | undefined, Arbitration, void>

/** A thread whose event qualified, step by step; the event is in its ring. Between two steps other threads may do anything. */
export function* arbitrationSteps(desk: ReportDesk, thread: number, seq: number): Steps {
  if (desk.claim(thread)) return 'claimed'
  yield
  const slot = desk.reserve(thread)
  yield
  if (slot < 0) return desk.claim(thread) ? 'claimed' : 'alone'
  desk.offer(slot, seq)
  for (let waits = 0; ; waits++) {
    yield { slot }
    if (desk.collect(slot)) return 'handed over'
    yield
    if (desk.withdraw(slot)) break
    yield
    // It is being written this moment, which is worth another wait; or the owner died over it.
    if (waits > 0 && desk.abandon(slot)) return 'alone'
  }
  yield
  return desk.claim(thread) ? 'claimed' : 'alone'
}

/** @param waitMs that an owner has for each of two waits: the caller is held up for about twice that at most */
export function arbitrate(desk: ReportDesk, thread: number, seq: number, waitMs: number): Arbitration {
  const steps = arbitrationSteps(desk, thread, seq)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (step.value !== undefined) desk.wait(step.value.slot, waitMs)
  }
}

/**
 * The owner's end, step by step; its file is complete.
 * @param held slots that it took, and did not get into the file
 */
export function* releaseSteps(
  desk: ReportDesk,
  thread: number,
  held: Iterable<number> = [],
): Generator<undefined, void, void> {
  // Who ends twice must not touch what the next one noted.
  if (desk.owner !== thread) return
  for (const slot of held) {
    desk.giveBack(slot)
    yield
  }
  desk.note(0)
  yield
  // Who offers from here on finds no owner when it waited, takes its trigger back, and claims.
  desk.release(thread)
}

/** The end of a thread that died, step by step. No other thread takes what is offered until the desk is free again. */
export function* evictSteps(desk: ReportDesk, thread: number): Generator<undefined, void, void> {
  for (let slot = 0; slot < SLOTS; slot++) if (desk.disown(slot, thread)) yield
  if (desk.owner !== thread) return
  for (let slot = 0; slot < SLOTS; slot++) if (desk.giveBack(slot)) yield
  yield* releaseSteps(desk, thread)
}

/**
 * For a thread that died, and for no other: one that lives would go on with its file, and with what it took from the desk.
 * What it held goes back, and what it waited for is waited for no longer: others neither wait for it, nor find the desk or
 * places on it taken for ever. To be called once, by who was told of the death, before a thread gets the same number.
 */
export function evict(desk: ReportDesk, thread: number): void {
  run(evictSteps(desk, thread))
}

/** Nothing where the desk is not, or no longer, this thread's. */
export function release(desk: ReportDesk, thread: number, held: Iterable<number> = []): void {
  run(releaseSteps(desk, thread, held))
}

function run(steps: Generator<undefined, void, void>): void {
  for (let step = steps.next(); step.done !== true; step = steps.next());
}
