import { parseOptions, type RecorderOptions } from '../../src/recorder/options'
import { ringsOf } from '../../src/recorder/ring-options'

const MiB = 1024 * 1024

function rings(thread: number, options: RecorderOptions = {}) {
  return ringsOf(parseOptions(options), thread)
}

test('the rings of a worker thread take an eighth of those of the main thread', () => {
  expect(rings(0).capacityBytes).toBe(8 * MiB)
  expect(rings(3).capacityBytes).toBe(MiB)
  expect(new Set(rings(3).handles.map(({ thread }) => thread))).toEqual(new Set([3]))
})

test('sizes that are given hold in every thread', () => {
  const sizes = { rings: { debug: '4MiB' } } as const
  expect(rings(3, sizes).capacityBytes).toBe(MiB - MiB / 4 + 4 * MiB)
})

test('samples of health have a ring of their own in the main thread, where they are taken', () => {
  const facilities = (thread: number): string[] =>
    rings(thread, { sidecar: true }).handles.map(({ facility }) => facility)
  expect(facilities(0)).toContain('process.health')
  expect(facilities(3)).not.toContain('process.health')
})

test('an event that may be logged in the main thread may be logged in a worker', () => {
  expect(() => rings(0, { eventBytes: '64KiB' })).not.toThrow()
  expect(() => rings(3, { eventBytes: '64KiB' })).not.toThrow()
})

test.each([0, 3])('events that are too long for a ring are no option in thread %d', (thread) => {
  expect(() => rings(thread, { eventBytes: '64KiB', rings: { fatal: '64KiB' } })).toThrow(
    /option eventBytes takes at most half the smallest ring/,
  )
})
