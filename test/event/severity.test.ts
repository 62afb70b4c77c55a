import fc from 'fast-check'
import { FlogError } from '../../src/base/errors'
import {
  bandIndex,
  bandName,
  foolscapSeverity,
  parseSeverity,
  pinoSeverity,
  SEVERITY_BANDS,
  SEVERITY_NAMES,
  severityName,
  severityOf,
  syslogSeverity,
} from '../../src/event/severity'

describe('severityOf', () => {
  test.each([
    ['trace', 1],
    ['debug', 5],
    ['info', 9],
    ['warn', 13],
    ['error', 17],
    ['fatal', 21],
    ['trace2', 2],
    ['INFO3', 11],
    ['fatal4', 24],
    ['emerg', 23],
    ['alert', 22],
    ['crit', 21],
    ['warning', 13],
    ['notice', 10],
    ['http', 7],
    ['verbose', 6],
    ['silly', 1],
    ['WEIRD', 17],
    ['NOISY', 5],
    ['Warning', 13],
    ['log', 9],
  ])('knows %s', (name, severity) => {
    expect(severityOf(name)).toBe(severity)
  })

  test('says nothing about a name that it does not know', () => {
    for (const name of ['', 'loud', 'constructor', '__proto__', 'info5', '30'])
      expect(severityOf(name)).toBeUndefined()
  })
})

test('every severity has a name that leads back to it, and a band', () => {
  for (let severity = 1; severity <= 24; severity++) {
    expect(severityOf(severityName(severity))).toBe(severity)
    expect(SEVERITY_BANDS[bandIndex(severity)]).toBe(bandName(severity))
    expect(severityName(severity).startsWith(bandName(severity))).toBe(true)
  }
  expect(SEVERITY_NAMES).toHaveLength(24)
})

test('numbers out of range are named as the nearest severity', () => {
  expect([0, -5, 25, Infinity, -Infinity, 9.7, Number.NaN].map(severityName)).toEqual([
    'trace',
    'trace',
    'fatal4',
    'fatal4',
    'trace',
    'info',
    'info',
  ])
})

describe('level numbers of other loggers', () => {
  test('pino and bunyan', () => {
    expect([10, 20, 30, 40, 50, 60].map(pinoSeverity)).toEqual([1, 5, 9, 13, 17, 21])
    expect([0, 35, 45, 1000, Number.NaN].map(pinoSeverity)).toEqual([1, 11, 15, 24, 9])
  })

  test('syslog', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7].map(syslogSeverity)).toEqual([23, 22, 21, 17, 13, 10, 9, 5])
    expect([8, -1, 1.5].map(syslogSeverity)).toEqual([9, 9, 9])
  })

  test('Foolscap: what triggers there triggers here', () => {
    expect([10, 20, 23, 25, 28, 30, 35, 40].map(foolscapSeverity)).toEqual([5, 9, 11, 13, 15, 17, 19, 21])
    expect([-Infinity, 0, 5, 15, 22.5, 29.9, 50, Infinity, Number.NaN].map(foolscapSeverity)).toEqual([
      1, 1, 3, 7, 10, 16, 23, 24, 9,
    ])
  })

  test.each([
    ['pino', pinoSeverity],
    ['Foolscap', foolscapSeverity],
  ])('%s: a higher level is never a lower severity', (_, severity) => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (a, b) => {
        const [low, high] = [severity(Math.min(a, b)), severity(Math.max(a, b))]
        expect(low).toBeLessThanOrEqual(high)
        expect(Number.isInteger(low) && low >= 1 && high <= 24).toBe(true)
      }),
    )
  })
})

describe('parseSeverity', () => {
  test('takes names of any scheme and numbers from 1 to 24', () => {
    expect(
      ['info', ' Warn ', 'verbose', 'info2', 24, 1].map((value) => parseSeverity('level', value)),
    ).toEqual([9, 13, 6, 10, 24, 1])
  })

  test.each([0, 25, 9.5, Number.NaN, '', 'loud', '9', null, undefined, {}, ['info']])(
    'refuses %p',
    (value) => {
      expect(() => parseSeverity('level', value)).toThrow(
        expect.objectContaining({ code: 'FLOG_OPTION_INVALID' }),
      )
    },
  )

  test.each([
    ['eror', 'error'],
    ['wran', 'warn'],
    ['DEBGU', 'debug'],
    ['criticl', 'critical'],
    ['tarce', 'trace'],
  ])('for %s asks whether %s was meant', (given, meant) => {
    expect(() => parseSeverity('tail.severity', given)).toThrow(
      `option tail.severity takes a severity: trace, debug, info, warn, error, fatal, or a number from 1 to 24 ` +
        `(did you mean ${meant}?), got "${given}"`,
    )
  })

  test('has no suggestion for a name like no other', () => {
    expect.assertions(2)
    try {
      parseSeverity('level', 'xyzzyplugh')
    } catch (error) {
      expect(FlogError.is(error, 'FLOG_OPTION_INVALID')).toBe(true)
      expect((error as Error).message).not.toContain('did you mean')
    }
  })
})
