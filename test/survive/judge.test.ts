import fc from 'fast-check'
import { type Facts, judge } from '../../tools/survive/judge'
import { HELD_EVENTS, SEVERITIES } from '../../tools/survive/plan'

/** One event a millisecond. */
const STEP_US = 1000

function facts(logged: number, rest: Partial<Facts> = {}): Facts {
  const acknowledged = Float64Array.from({ length: logged }, (_, n) => n * STEP_US)
  return { acknowledged, trigger: undefined, diedAt: logged * STEP_US, behindMs: 0, ...rest }
}

function upTo(count: number, from = 0): number[] {
  return Array.from({ length: count - from }, (_, i) => from + i)
}

const FINE = { preLost: 0, postLost: 0, lossMs: 0 }
const HELD = HELD_EVENTS * SEVERITIES.length

test('all that was logged is fine, with one event more whose call did not return', () => {
  expect(judge(facts(100), upTo(100))).toEqual(FINE)
  expect(judge(facts(100), upTo(101))).toEqual(FINE)
  expect(judge(facts(100, { trigger: 60 }), upTo(100))).toEqual(FINE)
})

test('what rings may have evicted may be missing, what they hold may not', () => {
  const logged = HELD + 1000
  expect(judge(facts(logged), upTo(logged, 1000))).toEqual(FINE)
  expect(judge(facts(logged), upTo(logged, 1001))).toMatchObject({ preLost: 1, lossMs: HELD })
})

test('any one event that is missing counts once, on its side of the trigger', () => {
  const logged = 2 * HELD
  fc.assert(
    fc.property(fc.nat(logged - 1), fc.nat(logged - 1), (trigger, missing) => {
      const numbers = upTo(logged).filter((n) => n !== missing)
      const { preLost, postLost, why } = judge(facts(logged, { trigger }), numbers)
      // The oldest event of a severity may have been evicted.
      const evicted = missing < SEVERITIES.length && trigger > missing + HELD
      expect({ preLost, postLost, why }).toEqual({
        preLost: missing < trigger && !evicted ? 1 : 0,
        postLost: missing >= trigger ? 1 : 0,
        why: undefined,
      })
    }),
  )
})

test('without a trigger the newest may be missing, as long as they are young enough', () => {
  const behind = facts(500, { behindMs: 100 })
  expect(judge(behind, upTo(400))).toEqual({ ...FINE, lossMs: 100 })
  expect(judge(behind, upTo(399))).toEqual({ ...FINE, preLost: 1, lossMs: 101 })
  expect(judge(behind, [])).toMatchObject({ preLost: 400, lossMs: 500 })
})

test('an event that comes twice, out of order or from nowhere is told', () => {
  expect(judge(facts(3), [0, 1, 1, 2]).why).toBe('event 1 comes after event 1')
  expect(judge(facts(3), [0, 2, 1]).why).toBe('event 1 comes after event 2')
  expect(judge(facts(3), [0, 1, 2, 3, 4]).why).toBe('event 4 was not logged')
  expect(judge(facts(3), [0, 1, 2, Number.NaN]).why).toBe('event NaN was not logged')
})
