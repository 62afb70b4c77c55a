import { join } from 'node:path'
import fc from 'fast-check'
import type { FlogError } from '../../../src/base/errors'
import { RING_MIN_BYTES } from '../../../src/base/limits'
import type { BlackBox } from '../../../src/incident/black-box/black-box'
import { areaBytes } from '../../../src/incident/black-box/layout'
import { readBlackBox } from '../../../src/incident/black-box/read'
import type { RingHandle } from '../../../src/ring/layout'
import { Ring } from '../../../src/ring/ring'
import { HandClock } from '../hand-clock'
import { temporaryDirectory } from '../samples'
import { App, found, merged, snapshot } from './rig'

// The module's own object: a function of an imported one cannot be replaced.
const fs = require('node:fs') as typeof import('node:fs')

const root = temporaryDirectory()
afterEach(() => {
  jest.restoreAllMocks()
})

const SMALL = areaBytes(RING_MIN_BYTES / 4)

/** The rings of a thread; the facility says whose. */
class Thread {
  readonly name: string
  readonly rings: readonly Ring[]
  readonly #app: App
  readonly #first: number

  constructor(app: App, name: string, sizes: readonly number[] = [1]) {
    this.name = name
    this.#app = app
    this.#first = app.rings.length
    this.rings = sizes.map((size, i) => {
      return new Ring({ severity: 'info', facility: `${name}.${i}`, bytes: size * RING_MIN_BYTES })
    })
    app.rings.push(...this.rings)
  }

  get handles(): RingHandle[] {
    return this.rings.map(({ handle }) => handle)
  }

  /** @returns `seq` of one event in each ring */
  log(bytes?: number): number[] {
    return this.rings.map((_, i) => this.#app.log(this.#first + i, bytes))
  }
}

/** What a recovery finds: `seq` of the events of each ring, by the name of the ring. */
async function readBack(path: string): Promise<Map<string, number[]>> {
  const { images, unreadable } = await readBlackBox(path)
  expect(unreadable).toBe(0)
  const read = new Map<string, number[]>()
  for (const image of images) {
    await image.examine()
    expect(read.has(image.handle.facility)).toBe(false)
    read.set(image.handle.facility, merged([image.handle]))
  }
  return read
}

/** Rings come and go, and each is told of. */
function joined(box: BlackBox, thread: Thread): Thread {
  box.add(thread.handles)
  return thread
}

function ended(box: BlackBox, thread: Thread): void {
  box.ended(thread.handles)
  box.forget(thread.handles)
}

describe('rings of threads that ended', () => {
  test('stay in the file until room is needed, and then give way, the longest ago ended first', async () => {
    const app = new App(0)
    const troubles: FlogError[] = []
    const room = { rings: 4, bytes: 100 * SMALL }
    const box = app.box(root.path, { room, onTrouble: (error) => troubles.push(error) })
    const names: string[] = []
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      const thread = joined(box, new Thread(app, name))
      thread.log()
      box.poll()
      if (name !== 'a') ended(box, thread)
      box.poll()
      names.push([...(await readBack(box.path)).keys()].join(' '))
    }
    expect(names).toEqual([
      'a.0',
      'a.0 b.0',
      'a.0 b.0 c.0',
      'a.0 b.0 c.0 d.0',
      'a.0 c.0 d.0 e.0',
      'a.0 d.0 e.0 f.0',
    ])
    expect((await found(box.path)).seqs).toEqual([0, 3, 4, 5])
    expect(troubles).toEqual([])
  })

  test('leave room for smaller and larger ones', async () => {
    const app = new App(0)
    const box = app.box(root.path, { room: { rings: 100, bytes: areaBytes((RING_MIN_BYTES / 4) * 8) } })
    const [a, b, c] = ['a', 'b', 'c'].map((name) => joined(box, new Thread(app, name, [2])))
    for (const thread of [a, b, c]) thread?.log()
    box.poll()
    ended(box, b as Thread)
    box.poll()
    const small = joined(box, new Thread(app, 'small', [1, 1]))
    small.log()
    box.poll()
    expect([...(await readBack(box.path)).keys()]).toEqual(['a.0', 'c.0', 'small.0', 'small.1'])
    for (const thread of [a, small]) ended(box, thread as Thread)
    box.poll()
    joined(box, new Thread(app, 'large', [4])).log()
    box.poll()
    expect([...(await readBack(box.path)).keys()]).toEqual(['c.0', 'large.0'])
  })

  test('do not give way to one that there would be no room for even then', async () => {
    const app = new App(0)
    const troubles: FlogError[] = []
    const room = { rings: 100, bytes: 3 * SMALL }
    const box = app.box(root.path, { room, onTrouble: (error) => troubles.push(error) })
    const [stays, ends] = ['stays', 'ends'].map((name) => joined(box, new Thread(app, name)))
    for (const thread of [stays, ends]) thread?.log()
    box.poll()
    ended(box, ends as Thread)
    joined(box, new Thread(app, 'large', [4])).log()
    box.poll()
    expect([...(await readBack(box.path)).keys()]).toEqual(['stays.0', 'ends.0'])
    expect(troubles.map(({ message }) => message)).toEqual([expect.stringContaining('no room for all rings')])
  })

  test('leave none of their events to who comes after them, though lengths and numbers fit', async () => {
    const app = new App(0)
    const box = app.box(root.path, { room: { rings: 1, bytes: SMALL } })
    const first = joined(box, new Thread(app, 'first'))
    for (let i = 0; i < 100; i++) first.log(100)
    box.poll()
    ended(box, first)
    box.poll()
    const second = joined(box, new Thread(app, 'second'))
    const seqs = [...second.log(100), ...second.log(100)]
    box.poll()
    expect(await readBack(box.path)).toEqual(new Map([['second.0', seqs]]))
  })

  test('are in a file that is made anew as long as their memory is held', async () => {
    const hand = new HandClock()
    const app = new App(0)
    const box = app.box(root.path, { clock: hand })
    const [a, b] = ['a', 'b'].map((name) => joined(box, new Thread(app, name))) as [Thread, Thread]
    for (const thread of [a, b]) thread.log()
    box.poll()
    ended(box, a)
    box.ended(b.handles)
    box.poll()
    expect((await found(box.path)).seqs).toEqual([0, 1])
    fs.rmSync(box.path)
    hand.advance(1000)
    const c = joined(box, new Thread(app, 'c'))
    c.log()
    box.poll()
    expect(await readBack(box.path)).toEqual(
      new Map([
        ['b.0', [1]],
        ['c.0', [2]],
      ]),
    )
  })

  test('that the disk refuses for long cost no memory and keep nobody from the file', async () => {
    const hand = new HandClock()
    const app = new App(0)
    const directory = join(root.path, 'spool')
    fs.writeFileSync(directory, 'in the way')
    const box = app.box(directory, { clock: hand, room: { rings: 2, bytes: 2 * SMALL }, onTrouble: () => {} })
    for (let i = 0; i < 10; i++) {
      const thread = joined(box, new Thread(app, `thread ${i}`))
      thread.log()
      box.poll()
      ended(box, thread)
      box.poll()
    }
    const last = joined(box, new Thread(app, 'last'))
    const seqs = last.log()
    fs.rmSync(directory)
    hand.advance(30_000)
    box.poll()
    expect(await readBack(box.path)).toEqual(new Map([['last.0', seqs]]))
  })
})

type Step =
  | { readonly kind: 'join'; readonly sizes: readonly number[] }
  | { readonly kind: 'leave' | 'log' | 'flood'; readonly which: number }
  | { readonly kind: 'forget'; readonly which: number }
  | { readonly kind: 'poll' | 'refuse' }

const which = fc.nat(1000)
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('join' as const), sizes: sizes() }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('leave' as const), which }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('forget' as const), which }) },
    { weight: 10, arbitrary: fc.record({ kind: fc.constant('log' as const), which }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('flood' as const), which }) },
    { weight: 8, arbitrary: fc.constant({ kind: 'poll' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'refuse' as const }) },
  ),
  { minLength: 10, maxLength: 60, size: 'max' },
)

function sizes(): fc.Arbitrary<number[]> {
  return fc.array(fc.constantFrom(1, 1, 2), { minLength: 1, maxLength: 2 })
}

/** What is known of one ring, to hold against what is read back. */
interface Known {
  readonly thread: Thread
  readonly logged: number[]
  /** Events that it had logged at the last poll that was not refused; undefined before one. */
  polled: number | undefined
  isThere: boolean
}

/** Threads that come, log and go, and a process that might be killed at, and in the middle of, any of its writes. */
class World {
  readonly box: BlackBox
  readonly #app = new App(0)
  readonly #hand = new HandClock()
  readonly #directory: string
  readonly #threads: Thread[] = []
  readonly #left: Thread[] = []
  readonly #known = new Map<string, Known>()
  readonly #random: () => number
  readonly #killed: string[] = []
  #refusing = false
  kills = 0

  constructor(directory: string, random: () => number) {
    this.#directory = directory
    this.#random = random
    this.box = this.#app.box(directory, {
      clock: this.#hand,
      room: { rings: 5, bytes: 6 * SMALL },
      onTrouble: () => {},
    })
    this.box.poll()
    const write = fs.writeSync as (
      fd: number,
      bytes: Uint8Array,
      offset: number,
      length: number,
      at: number,
    ) => number
    jest.spyOn(fs, 'writeSync').mockImplementation(((
      fd: number,
      bytes: Uint8Array,
      offset: number,
      length: number,
      at: number,
    ) => {
      const half = Math.floor(this.#random() * length)
      if (this.#random() < 0.2) {
        if (half > 0) write(fd, bytes, offset, half, at)
        this.#kill()
        if (this.#refusing)
          throw Object.assign(new Error('no space'), { code: this.#random() < 0.5 ? 'ENOSPC' : 'EIO' })
      }
      return write(fd, bytes, offset, length, at)
    }) as never)
  }

  async act(step: Step): Promise<void> {
    if (step.kind === 'join') this.#join(step.sizes)
    else if (!('which' in step)) await this.#poll(step.kind === 'refuse')
    else if (step.kind === 'forget') this.#forget(step.which)
    else {
      const thread = this.#threads[step.which % this.#threads.length]
      if (thread === undefined) return
      if (step.kind === 'leave') this.#leave(thread)
      else
        for (let i = step.kind === 'flood' ? 60 : 1; i > 0; i--)
          this.#log(thread, step.kind === 'flood' ? 3000 : 100)
    }
  }

  #join(sizes: readonly number[]): void {
    const thread = new Thread(this.#app, `thread ${this.#known.size}`, sizes)
    this.#threads.push(thread)
    for (const { handle } of thread.rings)
      this.#known.set(handle.facility, { thread, logged: [], polled: undefined, isThere: true })
    this.box.add(thread.handles)
  }

  #log(thread: Thread, bytes: number): void {
    thread.log(bytes).forEach((seq, i) => {
      this.#known.get(`${thread.name}.${i}`)?.logged.push(seq)
    })
  }

  #leave(thread: Thread): void {
    this.#threads.splice(this.#threads.indexOf(thread), 1)
    this.#left.push(thread)
    this.box.ended(thread.handles)
    for (const known of this.#known.values()) if (known.thread === thread) known.isThere = false
  }

  #forget(which: number): void {
    const [thread] = this.#left.splice(which % Math.max(1, this.#left.length), 1)
    if (thread !== undefined) this.box.forget(thread.handles)
  }

  async #poll(refusing: boolean): Promise<void> {
    this.#refusing = refusing
    const { refused } = this.box
    // Longer than a refused write is waited for, and than a superblock is without a successor.
    this.#hand.advance(60_000)
    this.box.poll()
    this.#refusing = false
    for (const copy of this.#killed.splice(0)) {
      await this.#check(copy, 'killed')
      fs.rmSync(copy)
    }
    if (this.box.refused > refused) return
    const read = await this.#check(this.box.path, 'polled')
    for (const [name, known] of this.#known) {
      // Of threads that are there some are left out, for want of room; those are never found.
      if (read.has(name)) known.polled = known.logged.length
    }
  }

  #kill(): void {
    if (!fs.existsSync(this.box.path)) return
    this.#killed.push(snapshot(this.box.path, this.#directory, `killed ${this.kills++}`))
  }

  async #check(path: string, when: 'killed' | 'polled'): Promise<Map<string, number[]>> {
    const read = await readBack(path)
    for (const [name, { logged, polled, isThere }] of this.#known) {
      const seqs = read.get(name)
      if (seqs === undefined) {
        if (isThere && polled !== undefined) throw new Error(`${name} is missing, ${when}`)
        continue
      }
      // Its own events only, without a hole, and none that were there before are lost at the new end.
      const from = seqs.length > 0 ? logged.indexOf(seqs[0] as number) : logged.length
      expect(from).toBeGreaterThanOrEqual(0)
      expect(seqs).toEqual(logged.slice(from, from + seqs.length))
      const newest = from + seqs.length
      expect(newest).toBeGreaterThanOrEqual(when === 'polled' && isThere ? logged.length : (polled ?? 0))
    }
    return read
  }
}

test('killed at any write, or refused one, while threads come and go: each ring is read back as it was a moment ago', async () => {
  let run = 0
  let kills = 0
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
      async (work, random) => {
        const world = new World(join(root.path, `run ${run++}`), () => random.next().value as number)
        for (const step of work) await world.act(step)
        await world.act({ kind: 'poll' })
        world.box.close()
        kills += world.kills
        jest.restoreAllMocks()
      },
    ),
    { numRuns: 16 },
  )
  expect(kills).toBeGreaterThan(100)
})
