import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import type { FlogError } from '../../../src/base/errors'
import { RING_MIN_BYTES } from '../../../src/base/limits'
import { BlackBoxGuard, endBlackBox } from '../../../src/incident/black-box/guard'
import { readBlackBoxState } from '../../../src/incident/black-box/read'
import { ControlBlock } from '../../../src/ring/control'
import type { RingHandle } from '../../../src/ring/layout'
import { Ring } from '../../../src/ring/ring'
import { TYPESCRIPT } from '../../typescript'
import { HandClock } from '../hand-clock'
import { temporaryDirectory } from '../samples'
import { App, found, merged, snapshot } from './rig'

const root = temporaryDirectory()

function names(): string[] {
  return readdirSync(root.path)
}

describe('the file', () => {
  test('is made by the first poll, ours alone, says what it is, and is gone with the box', () => {
    const box = new App().box(root.path)
    expect(names()).toEqual([])
    expect(box.poll()).toBe(true)
    expect(names()).toEqual([expect.stringMatching(/^\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{16}-1\.blackbox\.flog$/)])
    expect(statSync(box.path).mode & 0o777).toBe(0o600)
    const line = readFileSync(box.path, 'latin1').slice(0, 96)
    expect(line).toMatch(
      /^FLOG black box 1\.0 read, once its process is dead: npx .* flog recover DIRECTORY\s*\n$/,
    )
    box.close()
    box.close()
    expect(names()).toEqual([])
    expect(box.poll()).toBe(false)
    expect(names()).toEqual([])
  })

  test('takes the place of the one that an earlier thread of the process left', async () => {
    const app = new App()
    const left = app.box(root.path)
    left.poll()
    app.log()
    const box = app.box(root.path)
    box.poll()
    expect(names()).toHaveLength(1)
    expect((await found(box.path)).seqs).toEqual([0])
    left.close()
    expect(names()).toHaveLength(1)
  })

  test('is not written while there is nothing new, but for a sign of life', async () => {
    const hand = new HandClock()
    const app = new App()
    const box = app.box(root.path, { clock: hand })
    const generation = async () => (await readBlackBoxState(box.path)).superblock?.generation
    app.log()
    expect(box.poll()).toBe(true)
    expect(box.poll()).toBe(false)
    hand.advance(4999)
    expect(box.poll()).toBe(false)
    expect(await generation()).toBe(1)
    hand.advance(1)
    expect(box.poll()).toBe(false)
    expect(await generation()).toBe(2)
    app.log()
    expect(box.poll()).toBe(true)
    expect(await generation()).toBe(3)
  })

  test.each([
    ['removed', () => rmSync(join(root.path, names()[0] ?? ''))],
    ['moved', () => renameSync(join(root.path, names()[0] ?? ''), join(root.path, 'elsewhere'))],
    ['removed with its directory', () => rmSync(root.path, { recursive: true })],
  ])('%s, it is made anew with all that the rings hold', async (_, remove) => {
    const hand = new HandClock()
    const app = new App()
    const box = app.box(root.path, { clock: hand })
    for (let i = 0; i < 10; i++) app.log(i % 2)
    box.poll()
    remove()
    hand.advance(1000)
    app.log()
    box.poll()
    expect((await found(box.path)).seqs).toEqual(Array.from({ length: 11 }, (_, i) => i))
    expect(box.overruns).toBe(0)
  })
})

describe('what is in it', () => {
  const work = fc.record({
    startAt: fc.constantFrom(0, 0x7fffff00, 0xffffff00),
    steps: fc.array(
      fc.oneof(
        { weight: 20, arbitrary: fc.record({ ring: fc.nat(1), bytes: fc.integer({ min: 5, max: 9000 }) }) },
        { weight: 3, arbitrary: fc.constant('poll' as const) },
      ),
      { maxLength: 120, size: 'max' },
    ),
  })

  test('is what the rings hold, wherever their positions are, and what was missed is counted', async () => {
    let run = 0
    await fc.assert(
      fc.asyncProperty(work, async ({ startAt, steps }) => {
        const directory = join(root.path, String(run++))
        const app = new App(2, startAt)
        const box = app.box(directory)
        let overruns = 0
        /** Of each ring, at the last poll: the number of the next frame. */
        let polled: number[] | undefined
        const poll = (): void => {
          box.poll()
          app.rings.forEach((ring, i) => {
            overruns += Math.max(0, ring.evicted - (polled?.[i] ?? ring.evicted))
          })
          polled = app.rings.map((ring) => ring.written)
        }
        for (const step of steps) {
          if (step === 'poll') poll()
          else app.log(step.ring, step.bytes)
        }
        poll()
        const contents = await found(box.path)
        expect(contents.seqs).toEqual(merged(app.handles))
        expect(contents.evicted).toEqual(app.rings.map((ring) => ring.evicted))
        expect(contents.overruns).toBe(overruns)
        expect(box.overruns).toBe(overruns)
        expect(contents.beyond).toBe(0)
        box.close()
      }),
      { numRuns: 40 },
    )
  })

  test('rings that join are in it from the next poll on', async () => {
    const app = new App(1)
    const box = app.box(root.path)
    app.log()
    box.poll()
    const joined = new Ring({ severity: 'error', facility: 'db', thread: 3, bytes: RING_MIN_BYTES })
    app.rings.push(joined)
    app.log(1)
    box.add([joined.handle])
    expect(box.poll()).toBe(true)
    app.log(0)
    box.poll()
    expect((await found(box.path)).perRing).toEqual([[0, 2], [1]])
  })

  test('of more rings than there is room for it holds the first, and says so once', () => {
    const troubles: FlogError[] = []
    const app = new App(1)
    const box = app.box(root.path, { onTrouble: (error) => troubles.push(error) })
    const { handle } = app.rings[0] as Ring
    box.add(Array.from({ length: 1010 }, () => handle))
    box.add([handle])
    expect(troubles.map(({ message }) => message)).toEqual([expect.stringContaining('no room for all rings')])
    expect(box.poll()).toBe(true)
  })

  test.each([0, 0xfffff000])(
    'beside a thread that logs as fast as it can, whole events without a hole, from position %d on',
    async (startAt) => {
      const flags = new Int32Array(new SharedArrayBuffer(8))
      const worker = new Worker(join(__dirname, 'writer-thread.ts'), {
        workerData: { flags, startAt },
        execArgv: [...TYPESCRIPT],
      })
      try {
        const [{ rings, control }] = (await once(worker, 'message')) as [
          { rings: RingHandle[]; control: SharedArrayBuffer },
        ]
        const app = new App(0)
        const box = app.box(root.path, { rings, control: new ControlBlock(control) })
        box.poll()
        Atomics.store(flags, 0, 1)
        Atomics.notify(flags, 0)
        const until = performance.now() + 1500
        for (let i = 0; performance.now() < until; i++) {
          box.poll()
          if (i % 20 !== 0) continue
          for (const seqs of (await found(snapshot(box.path, root.path))).perRing) {
            expect(seqs.every((seq, i) => i === 0 || seq === (seqs[i - 1] as number) + 2)).toBe(true)
          }
        }
        Atomics.store(flags, 1, 1)
        const [{ written }] = (await once(worker, 'message')) as [{ written: number }]
        box.poll()
        const { seqs, evicted, overruns, perRing } = await found(box.path)
        expect(seqs).toEqual(merged(rings, 1))
        expect(seqs.at(-1)).toBe(written - 1)
        expect(evicted.reduce((a, b) => a + b) + seqs.length).toBe(written)
        expect(perRing.every((ring) => ring.length > 10)).toBe(true)
        expect(overruns).toBe(box.overruns)
      } finally {
        await worker.terminate()
      }
    },
    20_000,
  )
})

describe('a disk that refuses', () => {
  test('is told once, tried again later and later, and over when the file is there', async () => {
    const hand = new HandClock()
    const told: string[] = []
    const directory = join(root.path, 'spool')
    writeFileSync(directory, 'in the way')
    const app = new App()
    const box = app.box(directory, {
      clock: hand,
      onTrouble: ({ code }) => told.push(code),
      onRecovered: () => told.push('recovered'),
    })
    app.log()
    for (let ms = 0; ms < 7000; ms += 100) {
      expect(box.poll()).toBe(true)
      hand.advance(100)
    }
    expect(told).toEqual(['FLOG_BLACK_BOX_REFUSED'])
    expect(box.refused).toBe(3)
    rmSync(directory)
    mkdirSync(directory)
    hand.advance(1000)
    box.poll()
    expect(told).toEqual(['FLOG_BLACK_BOX_REFUSED', 'recovered'])
    expect((await found(box.path)).seqs).toEqual([0])
    expect(readdirSync(directory)).toHaveLength(1)
  })
})

describe('the end of the process', () => {
  test('removes the file, and none is made after it', () => {
    const guard = new BlackBoxGuard()
    const app = new App()
    const box = app.box(root.path, { guard: new BlackBoxGuard(guard.memory) })
    box.poll()
    endBlackBox(box.path, guard)
    expect(names()).toEqual([])
    app.log()
    box.poll()
    const late = app.box(root.path, { guard: new BlackBoxGuard(guard.memory) })
    late.poll()
    expect(existsSync(late.path)).toBe(false)
    expect(names()).toEqual([])
    endBlackBox(box.path, guard)
  })

  test('waits for a file that is being made, not for ever, and it is gone as soon as it is made', () => {
    const guard = new BlackBoxGuard()
    expect(guard.enter()).toBe(true)
    expect(guard.hasEnded).toBe(false)
    guard.end(10)
    expect(guard.hasEnded).toBe(true)
    expect(guard.leave()).toBe(false)
    expect(guard.enter()).toBe(false)
  })

  test('comes in the middle of making the file: it is taken back', () => {
    const guard = new BlackBoxGuard()
    const hand = new HandClock()
    hand.onNow = () => guard.end(0)
    new App().box(root.path, { guard, clock: hand }).poll()
    expect(guard.hasEnded).toBe(true)
    expect(names()).toEqual([])
  })
})
