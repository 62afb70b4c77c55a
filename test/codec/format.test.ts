import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { encoded } from './encoded'

const FORMAT = readFileSync(join(__dirname, '../../src/incident/FORMAT.md'), 'utf8')

/** Rows of the table in FORMAT.md, "Values": an expression, and the bytes of its value. */
const rows = (FORMAT.split('\n## Values\n')[1] ?? '')
  .split('\n## ')[0]!
  .split('\n')
  .map((line) => /^\| `(.+?)` \| `([0-9a-f… ]+)` \|/.exec(line))
  .filter((match) => match !== null)
  .map(([, expression, bytes]) => [expression, bytes] as [string, string])

/** The bytes of a value in an event. `[seq, time, severity, '', '', { v: [value] }]`, and `cut` behind it where it was. */
function bytesOf(value: unknown): string {
  const { bytes, event } = encoded({ v: [value] }, { message: '' })
  const start = '96cb________________cb________________09a0a0de0001a176dc0001'.length / 2
  const all = Buffer.from(bytes)
  const end = event.cut === undefined ? all.length : all.lastIndexOf(Buffer.from('\x81\xa3cut', 'latin1'))
  return all.subarray(start, end).toString('hex').replace(/../g, '$& ').trim()
}

describe('the table of values in FORMAT.md', () => {
  test('is there', () => expect(rows.length).toBeGreaterThan(35))

  test.each(rows)('%s is %s', (expression, bytes) => {
    const value: unknown = new Function(`return (${expression})`)()
    const [begin, end] = bytes.split(' … ')
    if (end === undefined) expect(bytesOf(value)).toBe(begin)
    else {
      expect(bytesOf(value).startsWith(`${begin} `)).toBe(true)
      expect(bytesOf(value).endsWith(` ${end}`)).toBe(true)
    }
  })
})

test('an event has its seq, time and severity at the places that FORMAT.md names', () => {
  const { bytes, event } = encoded({ a: 1 }, { extras: { traceId: 'a' } })
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  expect([bytes[0], bytes[1], bytes[10]]).toEqual([0x97, 0xcb, 0xcb])
  expect([view.getFloat64(2), view.getFloat64(11), bytes[19]]).toEqual([
    event.seq,
    event.time,
    event.severity,
  ])
  expect(encoded({ a: 1 }).bytes[0]).toBe(0x96)
})
