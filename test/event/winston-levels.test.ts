import fc from 'fast-check'
import { config } from 'winston'
import { severityOf } from '../../src/event/severity'
import { winstonSeverities } from '../../src/event/winston-levels'

const severities = (levels: Record<string, number>, explicit = {}) =>
  Object.fromEntries(winstonSeverities(levels, explicit))

describe("winston's own tables", () => {
  test('npm', () => {
    expect(severities(config.npm.levels)).toEqual({
      error: 17,
      warn: 13,
      info: 9,
      http: 7,
      verbose: 6,
      debug: 5,
      silly: 1,
    })
  })

  test('syslog', () => {
    expect(severities(config.syslog.levels)).toEqual({
      emerg: 23,
      alert: 22,
      crit: 21,
      error: 17,
      warning: 13,
      notice: 10,
      info: 9,
      debug: 5,
    })
  })

  test('cli, whose verbose is below debug', () => {
    expect(severities(config.cli.levels)).toEqual({
      error: 17,
      warn: 13,
      help: 11,
      data: 10,
      info: 9,
      debug: 5,
      prompt: 4,
      verbose: 3,
      input: 2,
      silly: 1,
    })
  })
})

describe('custom tables', () => {
  test('an unknown name lies between its neighbours by rank', () => {
    expect(severities({ error: 0, odd: 1, warn: 2, info: 3 })).toEqual({
      error: 17,
      odd: 15,
      warn: 13,
      info: 9,
    })
    expect(severities({ error: 0, a: 10, b: 20, c: 30, info: 90 })).toEqual({
      error: 17,
      a: 15,
      b: 13,
      c: 11,
      info: 9,
    })
  })

  test('beyond the last known name, towards the end of the scale', () => {
    expect(severities({ doom: 0, error: 1, info: 2, chatter: 3 })).toEqual({
      doom: 21,
      error: 17,
      info: 9,
      chatter: 5,
    })
  })

  test('a name that contradicts the ranks of the others is placed by rank', () => {
    expect(severities({ trace: 0, error: 1, warn: 2, info: 3 })).toEqual({
      trace: 21,
      error: 17,
      warn: 13,
      info: 9,
    })
  })

  test('where no name is known, the usual severities of as many levels', () => {
    expect(severities({ only: 0 })).toEqual({ only: 9 })
    expect(severities({ p1: 1, p2: 2, p3: 3, p4: 4 })).toEqual({ p1: 17, p2: 13, p3: 9, p4: 5 })
    expect(severities({ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 })).toEqual({
      a: 21,
      b: 17,
      c: 13,
      d: 9,
      e: 5,
      f: 1,
    })
    const ten = Object.values(
      severities(Object.fromEntries([...'abcdefghij'].map((name, rank) => [name, rank]))),
    )
    expect([ten[0], ten[9]]).toEqual([21, 1])
  })

  test('names of equal rank', () => {
    expect(severities({ error: 0, oops: 0, info: 1 })).toEqual({ error: 17, oops: 17, info: 9 })
    expect(severities({ p: 0, q: 0, r: 1 })).toEqual({ p: 17, q: 17, r: 9 })
  })

  test('an empty table, a rank that is no number', () => {
    expect(severities({})).toEqual({})
    expect(severities({ error: 0, info: 1, lost: Number.NaN })).toEqual({ error: 17, info: 9, lost: 5 })
  })
})

describe('the explicit map', () => {
  test('wins, and moves the unknown neighbours', () => {
    expect(severities({ a: 0, b: 1, c: 2 }, { a: 'fatal', c: 13 })).toEqual({ a: 21, b: 17, c: 13 })
  })

  test('may contradict the rank: an audit level that is always written is not an error', () => {
    expect(severities({ audit: 0, error: 1, info: 2 }, { audit: 'info' })).toMatchObject({
      audit: 9,
      info: 9,
    })
  })

  test('refuses what is no severity, and names that the logger lacks', () => {
    expect(() => winstonSeverities({ a: 0 }, { a: 'eror' as 'error' })).toThrow('severities.a')
    expect(() => winstonSeverities({ a: 0 }, { b: 'error' })).toThrow('names of the logger')
  })
})

const names = fc.oneof(
  fc.constantFrom(
    'error',
    'warn',
    'info',
    'debug',
    'trace',
    'silly',
    'verbose',
    'http',
    'crit',
    'notice',
    'weird',
  ),
  fc.string({ maxLength: 6 }),
)
const tables = fc.dictionary(names, fc.oneof(fc.integer({ min: -5, max: 15 }), fc.double({ noNaN: true })), {
  maxKeys: 14,
})

test('a more severe rank never gets a lower severity, whatever the table', () => {
  fc.assert(
    fc.property(tables, (levels) => {
      const mapped = winstonSeverities(levels)
      expect(mapped.size).toBe(Object.keys(levels).length)
      for (const [a, severityOfA] of mapped) {
        expect(severityOfA).toBeGreaterThanOrEqual(1)
        expect(severityOfA).toBeLessThanOrEqual(24)
        for (const [b, severityOfB] of mapped) {
          if ((levels[a] ?? 0) < (levels[b] ?? 0)) expect(severityOfA).toBeGreaterThanOrEqual(severityOfB)
        }
      }
    }),
  )
})

test('names that agree with their ranks all keep their meaning', () => {
  const known = fc.uniqueArray(
    fc.constantFrom('fatal', 'error', 'warn', 'notice', 'info', 'http', 'debug', 'silly'),
  )
  fc.assert(
    fc.property(known, (chosen) => {
      const sorted = chosen.toSorted((a, b) => (severityOf(b) ?? 0) - (severityOf(a) ?? 0))
      const mapped = winstonSeverities(Object.fromEntries(sorted.map((name, rank) => [name, rank])))
      for (const name of chosen) expect(mapped.get(name)).toBe(severityOf(name))
    }),
  )
})

test('the order in which a table lists its levels does not matter', () => {
  fc.assert(
    fc.property(tables, (levels) => {
      const reversed = Object.fromEntries(Object.entries(levels).toReversed())
      expect(Object.fromEntries(winstonSeverities(reversed))).toEqual(
        Object.fromEntries(winstonSeverities(levels)),
      )
    }),
  )
})
