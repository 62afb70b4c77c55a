/**
 * Who of a process's threads reports. One incident is written at a time: a thread whose event qualifies while another one
 * writes hands the event over, and writes a file of its own only if that one does not take it in time.
 *
 * ```
 *   owner          0 ──claim──> thread ──release──> 0
 *   handed over    free ──offer──> ready ──take──> taken ──done──> done ──collect──> free
 *                    ^──withdraw──┘  ^──giveBack──┘ └──abandon──> abandoned ──done, giveBack──> free
 * ```
 * Each method is one atomic step on shared memory (`offer` publishes with its last one), so that every order in which
 * threads may meet is an order of method calls; the test goes through all of them.
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

  /** @returns the slot; -1 where all are taken */
  offer(seq: number): number {
    for (let slot = 0; slot < SLOTS; slot++) {
      if (!this.#move(slot, FREE, FILLING)) continue
      this.#seqs[FIRST_SEQ_F64 + slot] = seq
      Atomics.store(this.#words, FIRST_STATE + slot, READY)
      return slot
    }
    return -1
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

  /** For the owner: what was taken did not get into the file. */
  giveBack(slot: number): void {
    if (this.#move(slot, TAKEN, READY)) Atomics.notify(this.#words, FIRST_STATE + slot)
    else this.#move(slot, ABANDONED, FREE)
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
    const state = Atomics.load(this.#words, FIRST_STATE + slot)
    if (state === READY || state === TAKEN) Atomics.wait(this.#words, FIRST_STATE + slot, state, ms)
  }

  #move(slot: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, FIRST_STATE + slot, from, to) === from
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
  const slot = desk.offer(seq)
  if (slot < 0) return desk.claim(thread) ? 'claimed' : 'alone'
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
  for (const slot of held) {
    desk.giveBack(slot)
    yield
  }
  desk.note(0)
  yield
  // Who offers from here on finds no owner when it waited, takes its trigger back, and claims.
  desk.release(thread)
}

/** For a thread that died: what it held goes back, so that others neither wait for it nor find the desk taken for ever. */
export function evict(desk: ReportDesk, thread: number): void {
  if (desk.owner === thread) release(desk, thread, Array(SLOTS).keys())
}

export function release(desk: ReportDesk, thread: number, held: Iterable<number> = []): void {
  const steps = releaseSteps(desk, thread, held)
  for (let step = steps.next(); step.done !== true; step = steps.next());
}
