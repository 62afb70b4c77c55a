import fc from 'fast-check'
import { parseFilter } from '../../../src/query/filter'
import { hasSequence, type Step } from '../../../src/query/rules/sequence'
import { eventAt, recordingOf } from './recordings'

const TRIGGER = eventAt(100_000, 'trigger')

/** @param steps message, and milliseconds since the step before; @param events message at milliseconds */
function has(
  steps: readonly (readonly [string, (number | undefined)?])[],
  events: readonly (readonly [string, number])[],
) {
  const parsed = steps.map(([message, within]): Step => {
    const filter = parseFilter(`message=${message}`)
    return within === undefined ? { filter } : { filter, within: within * 1000 }
  })
  return hasSequence(parsed)(
    recordingOf(
      TRIGGER,
      events.map(([message, ms]) => eventAt(ms, message)),
    ),
  )
}

test('events come one after the other, others between them', () => {
  expect(
    has(
      [['a'], ['b']],
      [
        ['a', 1],
        ['x', 2],
        ['b', 3],
      ],
    ),
  ).toBe(true)
  expect(
    has(
      [['a'], ['b']],
      [
        ['b', 1],
        ['a', 2],
      ],
    ),
  ).toBe(false)
})

test('a later beginning counts where an earlier one is too long ago', () => {
  expect(
    has(
      [['a'], ['b', 10]],
      [
        ['a', 0],
        ['a', 95],
        ['b', 100],
      ],
    ),
  ).toBe(true)
  expect(
    has(
      [['a'], ['b', 10]],
      [
        ['a', 0],
        ['a', 89],
        ['b', 100],
      ],
    ),
  ).toBe(false)
})

test('an event is not two steps', () => {
  expect(has([['a'], ['a']], [['a', 0]])).toBe(false)
  expect(
    has(
      [['a'], ['a']],
      [
        ['a', 0],
        ['a', 1],
      ],
    ),
  ).toBe(true)
})

test('finds a sequence exactly where trying all choices of events finds one', () => {
  const letter = fc.constantFrom('a', 'b', 'c')
  const within = fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined })
  const steps = fc.array(fc.tuple(letter, within), { minLength: 2, maxLength: 4 })
  const events = fc.array(fc.tuple(letter, fc.integer({ min: 0, max: 4 })), { maxLength: 12 })
  fc.assert(
    fc.property(steps, events, (wanted, gaps) => {
      let time = 0
      const timed = gaps.map(([message, gap]): readonly [string, number] => {
        time += gap
        return [message, time]
      })
      expect(has(wanted, timed)).toBe(isThere(wanted, timed))
    }),
  )
})

function isThere(
  [step, ...later]: readonly (readonly [string, (number | undefined)?])[],
  events: readonly (readonly [string, number])[],
  before?: number,
): boolean {
  if (step === undefined) return true
  const [message, within = Number.POSITIVE_INFINITY] = step
  return events.some(([text, time], index) => {
    if (text !== message || (before !== undefined && time - before > within)) return false
    return isThere(later, events.slice(index + 1), time)
  })
}
