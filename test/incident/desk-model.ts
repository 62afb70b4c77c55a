import {
  type Arbitration,
  arbitrationSteps,
  evictSteps,
  type HandedOver,
  ReportDesk,
  releaseSteps,
} from '../../src/incident/desk'

/** One thread of the model: what it does between two points where others may come in. */
type Actor = Generator<unknown, void, void>

interface World {
  readonly desk: WatchedDesk
  /** By `seq`: how often each trigger was written, by whom, and what became of it. */
  readonly written: Map<number, string[]>
  readonly outcomes: Map<number, Arbitration>
  /** Threads that died; what they wrote stays. */
  readonly dead: Set<number>
  /** Threads that were told that they report, and then found another one's name or number on the desk. */
  clashes: number
}

function newWorld(): World {
  return { desk: new WatchedDesk(), written: new Map(), outcomes: new Map(), dead: new Set(), clashes: 0 }
}

function note(world: World, seq: number, by: string): void {
  world.written.set(seq, [...(world.written.get(seq) ?? []), by])
}

/** A thread of which one event qualifies: it arbitrates, and if it reports, ends its report after a while. */
export function* trigger(world: World, thread: number, seq: number): Actor {
  const steps = arbitrationSteps(world.desk, thread, seq)
  let outcome: Arbitration | undefined
  while (outcome === undefined) {
    const step = steps.next()
    if (step.done === true) outcome = step.value
    else yield
  }
  world.outcomes.set(seq, outcome)
  if (outcome === 'alone') note(world, seq, `alone ${thread}`)
  if (outcome !== 'claimed') return
  world.desk.note(seq)
  note(world, seq, `owner ${thread}`)
  yield
  // What a reporter that is not the only one would see sooner or later.
  if (!world.desk.shows(thread, seq)) world.clashes++
  yield* ownerEnds(world, thread, seq)
}

/**
 * An owner that looks at the desk once more, puts one of the triggers it finds into its file, and ends with the rest in hand;
 * told to end by the process, it puts none.
 */
export function* ownerEnds(world: World, thread: number, number: number): Actor {
  const held: number[] = []
  for (let written = world.desk.isEnding ? 1 : 0; ; ) {
    const handed = world.desk.take()
    if (handed === undefined) break
    yield
    if (written++ > 0) {
      held.push(handed.slot)
      continue
    }
    note(world, handed.seq, `handed to ${thread}`)
    yield
    world.desk.done(handed.slot)
    yield
  }
  if (!world.desk.shows(thread, number)) world.clashes++
  yield* stepping(releaseSteps(world.desk, thread, held))
}

/** An owner that looks once, and gets no further. */
export function* taking(world: World): Actor {
  world.desk.take()
  yield
}

export function* stepping(steps: Iterator<unknown>): Actor {
  while (steps.next().done !== true) yield
}

export function* inTurn(parts: readonly Actor[]): Actor {
  for (const part of parts) {
    yield* part
    yield
  }
}

/** A thread that may be terminated between any two of its steps. */
export function* mortal(world: World, thread: number, life: Actor): Actor {
  while (!world.dead.has(thread) && life.next().done !== true) yield
}

/** Whoever is told that a thread is dead; before that it goes on. */
export function* death(world: World, thread: number, after?: Actor): Actor {
  world.dead.add(thread)
  yield
  yield* stepping(evictSteps(world.desk, thread))
  if (after !== undefined) yield* after
}

/** A thread that says that the process ends, and waits for the report of another one as long as is good. */
export function* ending(world: World, thread: number): Actor {
  world.desk.end(thread, 0)
  yield
}

/**
 * Goes through every order in which the actors' steps can follow each other. Two orders that lead to the same state go on
 * alike, so only the first is followed: the state is the desk's memory, how far each actor is, and all it was answered.
 * @returns how many states there were
 */
export function everyOrder(make: (world: World) => Actor[], check: (world: World) => void): number {
  const seen = new Set<string>()
  const explore = (path: readonly number[]): void => {
    const world = newWorld()
    const actors = make(world)
    const done = actors.map(() => false)
    const steps = actors.map(() => 0)
    for (const at of path) {
      steps[at] = (steps[at] ?? 0) + 1
      world.desk.actor = at
      done[at] = actors[at]?.next().done === true
    }
    const state = JSON.stringify([stateOf(world), steps])
    if (seen.has(state)) return
    seen.add(state)
    const next = done.flatMap((isDone, i) => (isDone ? [] : [i]))
    if (next.length === 0) check(world)
    for (const at of next) explore([...path, at])
  }
  explore([])
  return seen.size
}

function stateOf({ desk, written, outcomes, dead, clashes }: World): unknown {
  return [desk.state(), desk.answers, [...written], [...outcomes], [...dead], clashes]
}

/** Notes what each actor is answered: that, and nothing else, is what its next step depends on. */
class WatchedDesk extends ReportDesk {
  actor = 0
  readonly answers: string[][] = [[], [], [], []]

  /** Not noted: no thread acts on it. */
  shows(owner: number, number: number): boolean {
    return super.owner === owner && super.number === number
  }

  state(): number[] {
    return [...new Int32Array(this.memory)]
  }

  override get owner(): number {
    return this.#noted('owner', super.owner)
  }

  override get number(): number {
    return this.#noted('number', super.number)
  }

  override get isEnding(): boolean {
    return this.#noted('isEnding', super.isEnding)
  }

  override note(number: number): void {
    this.#noted('note', super.note(number))
  }

  override end(thread: number, ms: number): void {
    this.#noted('end', super.end(thread, ms))
  }

  override claim(thread: number): boolean {
    return this.#noted('claim', super.claim(thread))
  }

  override reserve(thread: number): number {
    return this.#noted('reserve', super.reserve(thread))
  }

  override offer(slot: number, seq: number): void {
    this.#noted('offer', super.offer(slot, seq))
  }

  override take(): HandedOver | undefined {
    return this.#noted('take', super.take())
  }

  override done(slot: number): void {
    this.#noted('done', super.done(slot))
  }

  override collect(slot: number): boolean {
    return this.#noted('collect', super.collect(slot))
  }

  override withdraw(slot: number): boolean {
    return this.#noted('withdraw', super.withdraw(slot))
  }

  override giveBack(slot: number): boolean {
    return this.#noted('giveBack', super.giveBack(slot))
  }

  override disown(slot: number, thread: number): boolean {
    return this.#noted('disown', super.disown(slot, thread))
  }

  override abandon(slot: number): boolean {
    return this.#noted('abandon', super.abandon(slot))
  }

  override release(thread: number): void {
    this.#noted('release', super.release(thread))
  }

  #noted<T>(step: string, answer: T): T {
    this.answers[this.actor]?.push(`${step} ${JSON.stringify(answer)}`)
    return answer
  }
}

/** @param seqs of triggers, and the threads that log them @returns what is to hold in the end, whatever the order was */
export function nothingIsLost(seqs: Readonly<Record<number, number>>): (world: World) => void {
  return (world) => {
    for (const [seq, thread] of Object.entries(seqs).map(([seq, by]) => [Number(seq), by] as const)) {
      const by = world.written.get(seq) ?? []
      const outcome = world.outcomes.get(seq)
      // Of a dead thread nothing is asked but that it does not get into two files.
      if (!world.dead.has(thread)) expect(by.length).toBeGreaterThanOrEqual(1)
      // Once, but for one that was taken the moment its thread gave up waiting, or its owner died: it may be there twice.
      const beside = by.slice(0, -1).every((writer) => world.dead.has(Number(writer.split(' ').at(-1))))
      if (!beside) expect(outcome).toBe('alone')
      if (outcome === 'handed over') expect(by.at(-1)).toMatch(/^handed to/)
    }
    expect(world.clashes).toBe(0)
    expect([world.desk.owner, world.desk.number]).toEqual([0, 0])
    // Every slot is free again.
    for (let i = 0; i < 16; i++) expect(world.desk.reserve(1)).toBe(i)
  }
}
