import type { Plain } from '../../../src/event/event'
import { type RareValueOptions, rareValue } from '../../../src/incident/qualifiers/rare'
import { eventOf } from './events'

const answered = (status: Plain) => eventOf('info', { facility: 'http', fields: { status } })

function warmed(options: Partial<RareValueOptions> = {}) {
  const qualifier = rareValue({ field: 'status', windowEvents: 100, share: 0.01, ...options })
  for (let n = 0; n < 100; n++) expect(qualifier.qualifies(answered(n % 2 === 0 ? 200 : 304))).toBe(false)
  return qualifier
}

test('a value never or seldom seen qualifies, and says so', () => {
  const qualifier = warmed()
  expect(qualifier.qualifies(answered(500))).toEqual({
    reason: 'status 500 of http was 0 of the 100 values before',
    fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
  })
  expect(qualifier.qualifies(answered(500))).toMatchObject({
    reason: 'status 500 of http was 1 of the 100 values before',
  })
  expect(qualifier.qualifies(answered(500))).toBe(false)
})

test('what was usual long ago may be rare now', () => {
  const qualifier = warmed()
  for (let n = 0; n < 100; n++) qualifier.qualifies(answered(200))
  expect(qualifier.qualifies(answered(304))).not.toBe(false)
})

test('a number is not the text of its digits', () => {
  expect(warmed().qualifies(answered('200'))).not.toBe(false)
})

test('share 0: only values that are not among the newest at all', () => {
  const qualifier = warmed({ share: 0 })
  expect(qualifier.qualifies(answered(500))).not.toBe(false)
  expect(qualifier.qualifies(answered(500))).toBe(false)
})

test('a field whose every value is new never qualifies', () => {
  const qualifier = rareValue({ field: 'status', windowEvents: 100 })
  for (let n = 0; n < 1000; n++) expect(qualifier.qualifies(answered(`request-${n}`))).toBe(false)
})

test('nothing qualifies before enough values were seen; events without the field are not looked at', () => {
  const qualifier = rareValue({ field: 'status', windowEvents: 100, minimumEvents: 50 })
  for (let n = 0; n < 49; n++) qualifier.qualifies(answered(200))
  for (let n = 0; n < 9; n++) expect(qualifier.qualifies(eventOf('error'))).toBe(false)
  expect(qualifier.qualifies(answered(500))).toBe(false)
  expect(qualifier.qualifies(answered(503))).not.toBe(false)
})

test.each<[Partial<RareValueOptions>, string]>([
  [{ field: 3 as unknown as string }, 'rareValue.field'],
  [{ share: 1.1 }, 'rareValue.share takes a number from 0 to 1'],
  [{ windowEvents: 1 }, 'rareValue.windowEvents'],
  [{ minimumEvents: 0 }, 'rareValue.minimumEvents takes a whole number from 1 to 1000'],
])('refuses %j', (options, message) => {
  expect(() => rareValue({ field: 'status', ...options })).toThrow(message)
})
