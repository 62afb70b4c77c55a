import fc from 'fast-check'
import { plainLine } from '../../../src/transports/lines/plain'

describe('a level is taken where it stands apart', () => {
  test.each([
    ['[error] x', 17, 'x'],
    ['[ERROR]: x', 17, 'x'],
    ['(warn) x', 13, 'x'],
    ['<info> x', 9, 'x'],
    ['ERROR x', 17, 'x'],
    ['WARN: x', 13, 'x'],
    ['error: x', 17, 'x'],
    ['Error: x', 17, 'x'],
    ['warning: x', 13, 'x'],
    ['info: Microsoft.Hosting[0]', 9, 'Microsoft.Hosting[0]'],
    ['fail: x', 17, 'x'],
    ['panic: x', 23, 'x'],
    ['fatal error: x', 21, 'x'],
    ['debug | x', 5, 'x'],
    ['<3>x', 17, 'x'],
    ['<7>x', 5, 'x'],
    ['x level=warn y', 13, 'x level=warn y'],
    ['x severity="ERROR"', 17, 'x severity="ERROR"'],
    ['12:00:00.123 [main] INFO  c.f.B - x', 9, '12:00:00.123 [main] c.f.B - x'],
    ['Nov 21 10:00:00 host app[12]: error: x', 17, 'Nov 21 10:00:00 host app[12]: x'],
    ['2026-11-21T20:31:05Z app.ERROR: x', 17, 'app.ERROR: x'],
    [
      '[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 1] x',
      17,
      '[Fri Sep 09 10:42:29.902022 2011] [pid 1] x',
    ],
    ['ERROR', 17, 'ERROR'],
    ['ERROR -5 is too little', 17, '-5 is too little'],
    ['ERROR --force is not known', 17, '--force is not known'],
    ['ERROR - x', 17, 'x'],
    ['ERROR -- : x', 17, 'x'],
    ['ERROR:root:x', 17, 'root:x'],
  ])('%s', (text, severity, message) => {
    expect(plainLine(text)).toMatchObject({ severity, message, fields: {} })
  })
})

describe('a level is not guessed', () => {
  test.each([
    'got ERROR from upstream',
    'the error: it is in the middle',
    'Information about nothing',
    'errors: 0',
    'error-prone code was removed',
    'INFOrmal',
    'no errors found',
    'TypeError: x',
    'data: x',
    'help: try again',
    'http: TLS handshake error',
    'success',
    'info',
    '[12] - foo - bar',
    '<999>x',
    '<b>error</b>',
    'loglevel=warning',
    'x level=unheardof',
    '{"a": "error"}',
    '',
  ])('%p', (text) => {
    const line = plainLine(text)
    expect(line).not.toHaveProperty('severity')
    expect(line.message).toBe(text)
  })
})

describe('logfmt', () => {
  test('a line of pairs alone becomes fields', () => {
    expect(
      plainLine('ts=2026-11-21T20:31:05.5Z lvl=error msg="a \\"b\\"" err.code=7 logger=db empty='),
    ).toEqual({
      format: 'logfmt',
      severity: 17,
      message: 'a "b"',
      facility: 'db',
      fields: { 'err.code': '7', empty: '' },
      time: Date.UTC(2026, 10, 21, 20, 31, 5, 500) * 1000,
    })
  })

  test.each(['a=b', 'a=b c=d', 'x a=b level=info', 'level=info a=b c'])('%p is not', (text) => {
    expect(plainLine(text).format).toBe('plain')
  })
})

test('any text at all is taken quickly, and keeps what was not understood', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => {
      const { message, severity, time } = plainLine(text)
      if (severity === undefined && time === undefined) expect(message).toBe(text)
    }),
  )
  const began = process.cpuUsage()
  for (const part of ['[', 'a - ', '<', 'x=', '1 ', ' ', 'a[1]: ']) plainLine(part.repeat(50_000))
  expect(process.cpuUsage(began).user).toBeLessThan(2_000_000)
})
