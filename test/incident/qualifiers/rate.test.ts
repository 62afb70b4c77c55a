import fc from 'fast-check'
import { rateAbove } from '../../../src/incident/qualifiers/rate'
import { eventOf } from './events'

test('the event that makes the count within the window qualifies, and says so', () => {
  const qualifier = rateAbove({ facility: 'db', count: 3, windowMs: 10_000 })
  const answers = [0, 5000, 9800].map((ms) =>
    qualifier.qualifies(eventOf('warn', { facility: 'db.pool', ms })),
  )
  expect(answers).toEqual([
    false,
    false,
    {
      reason: '3 events of db at warn or above within 9.8 s',
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
    },
  ])
})

test('a slower stream never qualifies', () => {
  const qualifier = rateAbove({ count: 3, windowMs: 1000 })
  for (let ms = 0; ms < 100_000; ms += 501) expect(qualifier.qualifies(eventOf('warn', { ms }))).toBe(false)
})

test('a long burst qualifies once every count events', () => {
  const qualifier = rateAbove({ severity: 'debug', count: 10, windowMs: 1000 })
  let qualified = 0
  for (let ms = 0; ms < 100; ms++) if (qualifier.qualifies(eventOf('debug', { ms })) !== false) qualified++
  expect(qualified).toBe(10)
})

test('only events of its severity and facility count', () => {
  const qualifier = rateAbove({ severity: 'warn', facility: 'db', count: 2, windowMs: 1000 })
  expect(qualifier.minimumSeverity).toBe(13)
  expect(qualifier.stateless).not.toBe(true)
  for (const event of [eventOf('info', { facility: 'db' }), eventOf('fatal', { facility: 'dbx' })]) {
    for (let n = 0; n < 5; n++) expect(qualifier.qualifies(event)).toBe(false)
  }
  expect(qualifier.qualifies(eventOf('error', { facility: 'db' }))).toBe(false)
  expect(qualifier.qualifies(eventOf('warn', { facility: 'db.x' }))).not.toBe(false)
})

test('what came before the wall clock was set back does not count', () => {
  const qualifier = rateAbove({ count: 3, windowMs: 1000 })
  const times = [3_600_000, 3_600_001, 0, 1]
  expect(times.map((ms) => qualifier.qualifies(eventOf('warn', { ms })))).toEqual([
    false,
    false,
    false,
    false,
  ])
  expect(qualifier.qualifies(eventOf('warn', { ms: 2 }))).not.toBe(false)
})

test('two rates have two fingerprints, the same rate the same', () => {
  const fingerprint = (count: number) => {
    const said = rateAbove({ count, windowMs: 5 }).qualifies(eventOf('warn'))
    return typeof said === 'object' ? said.fingerprint : undefined
  }
  expect(fingerprint(1)).toBe(fingerprint(1))
  expect(rateAbove({ count: 1, windowMs: 6 }).qualifies(eventOf('warn'))).not.toMatchObject({
    fingerprint: fingerprint(1),
  })
})

test('agrees with a list of all times since it last qualified', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400 })), fc.integer({ min: 1, max: 5 }), (gaps, count) => {
      const qualifier = rateAbove({ count, windowMs: 300 })
      let times: number[] = []
      let ms = 0
      for (const gap of gaps) {
        ms += gap
        times.push(ms)
        const expected = times.filter((time) => ms - time <= 300).length >= count
        expect(qualifier.qualifies(eventOf('warn', { ms })) !== false).toBe(expected)
        if (expected) times = []
      }
    }),
  )
})

test.each([
  [{ count: 0, windowMs: 1 }, 'rateAbove.count takes a whole number from 1 to 100000, got 0'],
  [{ count: 1.5, windowMs: 1 }, 'rateAbove.count'],
  [{ count: Infinity, windowMs: 1 }, 'rateAbove.count'],
  [{ count: 1, windowMs: 0 }, 'rateAbove.windowMs takes milliseconds from 1'],
  [{ count: 1, windowMs: '5s' as unknown as number }, 'rateAbove.windowMs'],
  [{ count: 1, windowMs: 1, severity: 'wran' as 'warn' }, 'did you mean warn'],
  [{ count: 1, windowMs: 1, facility: 7 as unknown as string }, 'rateAbove.facility'],
])('refuses %j', (options, message) => {
  expect(() => rateAbove(options)).toThrow(message)
})
