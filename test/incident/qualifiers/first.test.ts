import { fingerprintOf } from '../../../src/incident/fingerprint'
import { firstOccurrence } from '../../../src/incident/qualifiers/first'
import { eventOf } from './events'

const warning = (message: string, ms = 0) => eventOf('warn', { message, ms })

test('the first event of a kind qualifies, later ones do not', () => {
  const qualifier = firstOccurrence()
  const event = eventOf('warn', { message: 'retry 1 of 3', facility: 'db' })
  expect(qualifier.qualifies(event)).toEqual({
    reason: 'first warn event of db of its kind',
    fingerprint: fingerprintOf(event),
  })
  expect(qualifier.qualifies({ ...event, message: 'retry 2 of 3' })).toBe(false)
  expect(qualifier.qualifies(warning('cache is cold'))).not.toBe(false)
})

test('events below its severity are not looked at', () => {
  const qualifier = firstOccurrence({ severity: 'error' })
  expect(qualifier.minimumSeverity).toBe(17)
  expect(qualifier.qualifies(warning('x'))).toBe(false)
})

test('what is learned at the beginning does not qualify', () => {
  const qualifier = firstOccurrence({ learnMs: 1000 })
  expect(
    [warning('a', 0), warning('b', 999), warning('b', 1000)].map((event) => qualifier.qualifies(event)),
  ).toEqual([false, false, false])
  expect(qualifier.qualifies(warning('c', 1000))).not.toBe(false)
})

test('the kinds last seen are remembered, those not seen for long forgotten', () => {
  const qualifier = firstOccurrence({ remember: 3 })
  const isFirst = (message: string) => qualifier.qualifies(warning(message)) !== false
  for (const word of ['old', 'a', 'b', 'c', 'd', 'b', 'c', 'd']) isFirst(word)
  expect(['b', 'c', 'd'].map(isFirst)).toEqual([false, false, false])
  for (const word of ['e', 'f', 'g', 'h', 'i', 'j']) isFirst(word)
  expect(isFirst('old')).toBe(true)
})

test('refuses bad options', () => {
  expect(() => firstOccurrence({ remember: 0 })).toThrow(
    'firstOccurrence.remember takes a whole number from 1 to 1000000',
  )
  expect(() => firstOccurrence({ learnMs: -1 })).toThrow('firstOccurrence.learnMs takes milliseconds from 0')
})
