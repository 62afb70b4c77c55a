import fc from 'fast-check'
import { RING_MIN_BYTES } from '../../../src/base/limits'
import { RingImage } from '../../../src/incident/black-box/image'
import { AREA_HEAD_BYTES } from '../../../src/incident/black-box/layout'
import { RingCopy } from '../../../src/incident/black-box/ring-copy'
import { App, merged } from './rig'

/** Staging memory into which words are copied while, as another thread would, somebody logs. */
class Staging extends Int32Array {
  during: () => void = () => {}

  override set(words: ArrayLike<number>, offset?: number): void {
    super.set(words, offset)
    this.during()
  }
}

const race = fc.record({
  startAt: fc.constantFrom(0, 0xffffc000),
  stagingWords: fc.constantFrom(64, 512, 4096, 32_768),
  /** Events logged before a copy, and between any two steps of it. */
  before: fc.array(fc.nat(400), { minLength: 2, maxLength: 6 }),
  during: fc.array(fc.nat(60), { minLength: 1, maxLength: 8 }),
  bytes: fc.integer({ min: 20, max: 2000 }),
})

test('whatever is logged while it copies, all that its mark speaks of is whole and without a hole', async () => {
  let overrun = 0
  await fc.assert(
    fc.asyncProperty(race, async ({ startAt, stagingWords, before, during, bytes }) => {
      const app = new App(1, startAt)
      const [handle] = app.handles
      if (handle === undefined) throw new Error('there is no ring')
      const copy = new RingCopy(handle, 0)
      const file = new Uint8Array(AREA_HEAD_BYTES + RING_MIN_BYTES)
      const staging = new Staging(stagingWords)
      let step = 0
      const log = (): void => {
        for (let i = during[step++ % during.length] as number; i > 0; i--) app.log(0, bytes)
      }
      let next = 0
      for (const events of before) {
        for (let i = 0; i < events; i++) app.log(0, bytes)
        const earlier = copy.mark
        step = 0
        // Not for ever: nobody who logs does nothing else.
        staging.during = () => step < 200 && log()
        copy.copy(staging, (words, position) => file.set(words, position))
        const { mark } = copy
        const image = new RingImage({ severity: 'info', facility: '', thread: 0 }, mark)
        image.bytes.set(file.subarray(AREA_HEAD_BYTES))
        const { state } = await image.examine()
        const seqs = merged([image.handle]).filter((seq) => seq < mark.next)
        expect(seqs).toEqual(Array.from({ length: mark.next - state.evicted }, (_, i) => state.evicted + i))
        // One that gave up, because it was lapped again and again, has written over some of what it had.
        const gaveUp = mark.head === earlier.head
        if (!gaveUp) expect(state.usedBytes).toBeGreaterThanOrEqual(((mark.head - mark.tail) >>> 0) * 4)
        expect(mark.next).toBeGreaterThanOrEqual(next)
        expect(mark.overruns - earlier.overruns).toBeLessThanOrEqual(
          Math.max(0, state.evicted - earlier.next),
        )
        next = mark.next
        overrun += mark.overruns - earlier.overruns
      }
    }),
    { numRuns: 60 },
  )
  expect(overrun).toBeGreaterThan(100)
})

test('what the file does not take is copied again', () => {
  const app = new App(1)
  const [handle] = app.handles
  if (handle === undefined) throw new Error('there is no ring')
  const copy = new RingCopy(handle, 0)
  for (let i = 0; i < 100; i++) app.log()
  const full = new Error('full')
  const before = copy.mark
  const refuse = (): never => {
    throw full
  }
  expect(() => copy.copy(new Int32Array(64), refuse)).toThrow(full)
  expect(copy.mark).toEqual(before)
  expect(copy.isBehind).toBe(true)
  copy.copy(new Int32Array(64), () => {})
  expect(copy.mark).toMatchObject({ next: 100, overruns: 0 })
  expect(copy.isBehind).toBe(false)
})
