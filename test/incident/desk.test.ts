import { Worker } from 'node:worker_threads'
import {
  type Arbitration,
  arbitrate,
  arbitrationSteps,
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
  /** Threads that were told that they report while another one did. */
  clashes: number
}

function newWorld(): World {
  return { desk: new WatchedDesk(), written: new Map(), outcomes: new Map(), clashes: 0 }
}

function note(world: World, seq: number, by: string): void {
  world.written.set(seq, [...(world.written.get(seq) ?? []), by])
}

/** A thread of which one event qualifies: it arbitrates, and if it reports, ends its report after a while. */
function* trigger(world: World, thread: number, seq: number): Actor {
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
  note(world, seq, `owner ${thread}`)
  if (world.desk.owner !== thread) world.clashes++
  yield
  if (world.desk.owner !== thread) world.clashes++
  yield* release(world, thread)
}

/** An owner that looks at the desk once more, puts one of the triggers it finds into its file, and ends with the rest in hand. */
function* release(world: World, thread: number): Actor {
  const held: number[] = []
  for (let written = 0; ; ) {
    const handed = world.desk.take()
    if (handed === undefined) break
    yield
    if (written++ > 0) {
      held.push(handed.slot)
      continue
    }
    note(world, handed.seq, `handed to ${thread}`)
    world.desk.done(handed.slot)
    yield
  }
  const steps = releaseSteps(world.desk, thread, held)
  while (steps.next().done !== true) yield
}

/**
 * Goes through every order in which the actors' steps can follow each other. Two orders that lead to the same state go on
 * alike, so only the first is followed: the state is the desk's memory, and all that each actor was answered.
 * @returns how many states there were
 */
function everyOrder(make: (world: World) => Actor[], check: (world: World) => void): number {
  const seen = new Set<string>()
  const explore = (path: readonly number[]): void => {
    const world = newWorld()
    const actors = make(world)
    const done = actors.map(() => false)
    for (const at of path) {
      world.desk.actor = at
      done[at] = actors[at]?.next().done === true
    }
    const state = JSON.stringify([world.desk.state(), world.desk.answers, done, [...world.written]])
    if (seen.has(state)) return
    seen.add(state)
    const next = done.flatMap((isDone, i) => (isDone ? [] : [i]))
    if (next.length === 0) check(world)
    for (const at of next) explore([...path, at])
  }
  explore([])
  return seen.size
}

/** Notes what each actor is answered: that, and nothing else, is what its next step depends on. */
class WatchedDesk extends ReportDesk {
  actor = 0
  readonly answers: string[][] = [[], [], []]

  state(): number[] {
    return [...new Int32Array(this.memory)]
  }

  override claim(thread: number): boolean {
    return this.#noted('claim', super.claim(thread))
  }

  override offer(seq: number): number {
    return this.#noted('offer', super.offer(seq))
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

  override giveBack(slot: number): void {
    this.#noted('giveBack', super.giveBack(slot))
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

function nothingIsLost(seqs: readonly number[]): (world: World) => void {
  return (world) => {
    for (const seq of seqs) {
      const by = world.written.get(seq) ?? []
      // Once, but for one that was taken the moment its thread gave up waiting: that one may be there twice.
      expect(by.length).toBeGreaterThanOrEqual(1)
      if (by.length > 1) expect(world.outcomes.get(seq)).toBe('alone')
      if (world.outcomes.get(seq) === 'handed over') expect(by[0]).toMatch(/^handed to/)
    }
    expect(world.clashes).toBe(0)
    expect(world.desk.owner).toBe(0)
    // Every slot is free again.
    for (let i = 0; i < 16; i++) expect(world.desk.offer(i)).toBe(i)
  }
}

test('two threads that qualify at once: in every order both events are in a file, and one at a time has the desk', () => {
  const states = everyOrder(
    (world) => [trigger(world, 1, 10), trigger(world, 2, 20)],
    nothingIsLost([10, 20]),
  )
  expect(states).toBeGreaterThan(50)
})

test('a trigger beside an owner that ends its report: in every order it is in a file', () => {
  const states = everyOrder(
    (world) => {
      world.desk.claim(9)
      return [release(world, 9), trigger(world, 1, 10)]
    },
    nothingIsLost([10]),
  )
  expect(states).toBeGreaterThan(20)
})

test('two triggers beside an owner that ends its report: in every order both are in a file', () => {
  const states = everyOrder(
    (world) => {
      world.desk.claim(9)
      return [release(world, 9), trigger(world, 1, 10), trigger(world, 2, 20)]
    },
    nothingIsLost([10, 20]),
  )
  expect(states).toBeGreaterThan(1000)
})

test('who finds more waiting than there are places writes a file of its own', () => {
  const desk = new ReportDesk()
  desk.claim(9)
  for (let i = 0; i < 16; i++) expect(desk.offer(i)).toBe(i)
  expect(arbitrate(desk, 1, 99, 1)).toBe('alone')
})

test('an owner that does not look gets the time it was given, not more', () => {
  const desk = new ReportDesk()
  desk.claim(9)
  expect(arbitrate(desk, 1, 5, 5)).toBe('alone')
  expect(desk.take()).toBeUndefined()
})

test('an owner in another thread takes the event while the caller waits', async () => {
  const desk = new ReportDesk()
  desk.claim(2)
  desk.note(7)
  // The states of slots, as the desk lays them out, are not known here: the thread uses the desk's own steps on built code.
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads')
     const { ReportDesk } = require(workerData.desk)
     const desk = new ReportDesk(workerData.memory)
     parentPort.postMessage('ready')
     for (;;) {
       const handed = desk.take()
       if (handed === undefined) continue
       desk.done(handed.slot)
       parentPort.postMessage(handed.seq)
       break
     }`,
    {
      eval: true,
      workerData: { memory: desk.memory, desk: require.resolve('../../dist/src/incident/desk.js') },
    },
  )
  await new Promise((resolve) => worker.once('message', resolve))
  const told = new Promise((resolve) => worker.once('message', resolve))
  expect(desk.number).toBe(7)
  expect(arbitrate(desk, 1, 4711, 10_000)).toBe('handed over')
  expect(await told).toBe(4711)
  await worker.terminate()
})
