import { jsonLine } from '../../../src/transports/lines/json'

function line(value: object) {
  return jsonLine(JSON.stringify(value))
}

describe('severities', () => {
  test.each([
    [{ level: 'silly', message: 'm' }, 1],
    [{ level: '\u001b[31merror\u001b[39m', message: 'm' }, 17],
    [{ level: 10, msg: 'm' }, 1],
    [{ level: 35, msg: 'm' }, 11],
    [{ level: 60, msg: 'm' }, 21],
    [{ level: 3, version: '1.1', short_message: 'm' }, 17],
    [{ severity: 'WARNING', message: 'm' }, 13],
    [{ level: 'INFO+2', msg: 'm' }, 11],
    [{ level: 'DEBUG-4', msg: 'm' }, 1],
    [{ 'log.level': 'error', message: 'm' }, 17],
  ])('%j', (value, severity) => {
    expect(line(value)).toMatchObject({ severity, message: 'm' })
  })

  test('a level that is no level stays a field, and the line has none', () => {
    expect(line({ level: 'basement', message: 'm' })).toMatchObject({ fields: { level: 'basement' } })
    expect(line({ level: 'basement', message: 'm' })).not.toHaveProperty('severity')
  })
})

describe('errors', () => {
  test('of pino and bunyan, with what they carry', () => {
    const err = {
      type: 'TypeError',
      message: 'm',
      stack: 'TypeError: m\n    at f',
      code: 'E',
      orderId: 7,
      cause: { name: 'Error', message: 'c' },
    }
    expect(line({ level: 50, msg: 'boom', err })).toMatchObject({
      message: 'boom',
      error: {
        name: 'TypeError',
        message: 'm',
        stack: err.stack,
        code: 'E',
        fields: { orderId: 7 },
        cause: { name: 'Error', message: 'c' },
      },
      fields: {},
    })
  })

  test('of winston, whose stack stands beside the message', () => {
    expect(line({ level: 'error', message: 'm', stack: 'RangeError: m\n    at f' })).toMatchObject({
      error: { name: 'RangeError', message: 'm', stack: 'RangeError: m\n    at f' },
    })
  })

  test('without a message of its own, the line has the error’s', () => {
    expect(line({ level: 50, err: { type: 'Error', message: 'm', stack: 's\n' } })?.message).toBe('m')
  })

  test('an `error` that is none stays a field', () => {
    expect(line({ level: 'error', message: 'm', error: 'text' })).toMatchObject({ fields: { error: 'text' } })
    expect(line({ level: 'error', message: 'm', error: { message: 'x' } })).toMatchObject({
      fields: { error: { message: 'x' } },
    })
  })

  test('causes nested without end are cut off', () => {
    let err: object = { name: 'E', message: 'm', stack: 's' }
    for (let i = 0; i < 500; i++) err = { name: 'E', message: 'm', stack: 's', cause: err }
    expect(line({ level: 'error', message: 'm', err })?.error?.name).toBe('E')
  })
})

describe('times', () => {
  test.each([
    [1_795_293_065_123, 1_795_293_065_123_000],
    [1_795_293_065.5, 1_795_293_065_500_000],
    [1_795_293_065_123_456, 1_795_293_065_123_456],
    ['2026-11-21T20:31:05.123456789Z', 1_795_293_065_123_456],
    ['2026-11-21 20:31:05,5 +0100', 1_795_289_465_500_000],
    ['1795293065123', 1_795_293_065_123_000],
  ])('%p', (time, micros) => {
    expect(line({ level: 'info', msg: 'm', time })?.time).toBe(micros)
  })

  test.each(['soon', 7, true, null, '2026-13-45T99:99:99Z'])('%p is none, and stays a field', (time) => {
    const found = line({ level: 'info', msg: 'm', time })
    expect(found).not.toHaveProperty('time')
    expect(found?.fields).toEqual({ time })
  })
})

test.each(['{"a":1}', '[1]', '{', '"x"', '{"level":{}}', 'null', ''])('%p is no log record', (text) => {
  expect(jsonLine(text)).toBeUndefined()
})

test('a message that is no text is shown as JSON', () => {
  expect(line({ level: 'info', message: { a: 1 } })?.message).toBe('{"a":1}')
})

test('keys that mean something to JavaScript are fields like others', () => {
  const found = jsonLine('{"level":"info","msg":"m","__proto__":{"x":1},"constructor":2}')
  expect(Object.keys(found?.fields ?? {})).toEqual(['__proto__', 'constructor'])
  expect(({} as { x?: number }).x).toBeUndefined()
})
