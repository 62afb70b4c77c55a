import * as fc from 'fast-check'
import { escaped, jsonLine, Plainer } from '../../../src/collector/kernel/plain'

const plainer = new Plainer(['session-id'])

test('whatever it is given, it is plain JSON of bounded size, on one line', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withMap: true, withSet: true, withDate: true }), (value) => {
      const line = jsonLine({ value: plainer.value(value), error: plainer.error(value) })
      expect(line.length).toBeLessThan(200_000)
      expect(line).not.toMatch(/[\n\r\u2028]/)
      expect(() => JSON.parse(line)).not.toThrow()
    }),
    { numRuns: 300 },
  )
})

test('an error keeps its cause, its errors and what it says besides', () => {
  const error = new AggregateError([new TypeError('one'), 'two'], 'both', { cause: new RangeError('why') })
  Object.assign(error, {
    code: 'E_BOTH',
    'Session-Id': 'hunter2',
    port: 5432,
    when: new Date(0),
    key: Buffer.from('x'),
  })
  expect(plainer.error(error)).toMatchObject({
    ...{ name: 'AggregateError', message: 'both', code: 'E_BOTH', port: 5432, 'Session-Id': '[redacted]' },
    ...{ when: '1970-01-01T00:00:00.000Z', key: '[1 bytes]', cause: { name: 'RangeError', message: 'why' } },
    errors: [{ name: 'TypeError', message: 'one' }, 'two'],
  })
})

test('what is huge leaves as much to what comes after it', () => {
  const rows = Array.from({ length: 1000 }, () => 'x'.repeat(1000))
  const plain = plainer.value({ rows, deep: { rows }, last: 'here' })
  expect(plain).toMatchObject({ last: 'here' })
  expect(JSON.stringify(plain).length).toBeLessThan(40_000)
})

test('a password in a URL is taken out, also where the text is cut, in time that grows with the text', () => {
  const url = 'postgres://flog:hunter2@db/x'
  expect(plainer.text(`${url} and ${url}`)).toBe(
    'postgres://flog:[redacted]@db/x and postgres://flog:[redacted]@db/x',
  )
  expect(plainer.text(`${'x '.repeat(2041)}${url}`)).not.toContain('hunter')
  expect(plainer.text(`${'a'.repeat(1e6)}@`)).toHaveLength(4096)
})

test('escaping leaves what people write', () => {
  expect(escaped('grün \u001b[1m\n')).toBe('grün \\u001b[1m\\u000a')
})
