import fc from 'fast-check'
import { csvCell, csvTarget } from '../../../../tools/flog/export/csv'
import { escapeLine } from '../../../../tools/flog/terminal'
import { anyText } from '../../../any-text'
import { event, expectHarmless, HOSTILE, written } from './events'

/** RFC 4180, strictly: records end with CR LF, quotes stand at both ends of a cell and are doubled inside. */
function parse(text: string): string[][] {
  const records: string[][] = []
  let record: string[] = []
  let rest = text
  while (rest !== '') {
    const match = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/.exec(rest)
    if (match === null) throw new Error(`no CSV: ${rest.slice(0, 80)}`)
    record.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
    if (match[3] === '\r\n') {
      records.push(record)
      record = []
    }
    rest = rest.slice(match[0].length)
  }
  return records
}

/** What a cell was before it was guarded. */
function unguarded(cell: string): string {
  return /^'+[=+\-@＝＋－＠|%]/.test(cell) ? cell.slice(1) : cell
}

test('cells come back as they were, but for controls, which are shown as escapes', () => {
  const text = fc.oneof(anyText(), fc.string({ unit: fc.constantFrom(...`'=+-@",\r\n\ta`) }))
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), (texts) => {
      const [record] = parse(`${texts.map(csvCell).join(',')}\r\n`)
      const safe = texts.map((one) => one.split('\n').map(escapeLine).join('\n'))
      expect(record?.map(unguarded)).toEqual(safe)
    }),
  )
})

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', "'=1", '|calc', '＝1'])(
  'a spreadsheet takes %j for text',
  (text) => {
    expect(csvCell(text)).not.toMatch(/^"?[=+\-@|＝\t\r]/)
  },
)

test('events are records below a line of names', async () => {
  const [names, first] = parse(
    await written(csvTarget, [
      { event: event({ message: 'a {b}', fields: { b: 'x,"y"' } }), mark: 'trigger' },
    ]),
  )
  const cells = Object.fromEntries((names ?? []).map((name, at) => [name, first?.[at]]))
  expect(cells).toMatchObject({
    seq: '1',
    time: '2026-11-21T20:31:04.123456Z',
    severity: 'info',
    facility: 'app',
    message: 'a x,"y"',
    fields: '{"b":"x,\\"y\\""}',
    trigger: 'true',
  })
})

test('nothing logged acts on a terminal', async () => {
  const fields = { [HOSTILE]: HOSTILE }
  expectHarmless(
    await written(csvTarget, [
      { event: event({ message: HOSTILE, facility: HOSTILE, fields, traceId: HOSTILE }) },
    ]),
  )
})

test('no event gives the names alone', async () => {
  expect(parse(await written(csvTarget, []))).toHaveLength(1)
})
