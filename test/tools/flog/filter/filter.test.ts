import {
  copyFileSync,
  linkSync,
  lstatSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readIncidentFile } from '../../../../src/incident/reader'
import { verifyIncidentFile } from '../../../../src/incident/verify'
import { buildFile, type FileSketch, plainFile } from '../../../../tools/fixtures/incident-file'
import { filterText } from '../../../../tools/flog/filter/expression'
import { filterFile } from '../../../../tools/flog/filter/filter-file'
import type { FilterOptions } from '../../../../tools/flog/verbs/filter'
import { flog, scratchDirectory } from '../command'
import { capturedSurroundings } from '../surroundings'

const FIXTURES = join(__dirname, '../../../../fixtures/incident/v1')
const GOLDEN = join(__dirname, '../golden')
const cwd = scratchDirectory()
const SKETCH: FileSketch = {
  name: 'filter',
  history: [
    [
      { severity: 9, message: 'started', facility: 'shop' },
      {
        severity: 5,
        message: 'waiting {wait} ms',
        facility: 'db.pool',
        fields: { wait: 1500 },
        more: { traceId: 'ab12' },
      },
      { severity: 13, message: 'slow answer', facility: 'db', fields: { path: '/orders/7' } },
    ],
  ],
  after: [{ severity: 9, message: 'after it', facility: 'shop' }],
}
const INPUT = join(cwd, 'in.incident.flog')
writeFileSync(INPUT, plainFile(buildFile(SKETCH)))
let made = 0

/** @returns messages of what was copied */
async function filtered(options: FilterOptions): Promise<string[]> {
  const output = join(cwd, `out-${made++}.flog`)
  const { io, text } = capturedSurroundings()
  expect(await filterFile(INPUT, { ...options, output }, io)).toBe(0)
  expect((await text()).talk).toMatch(/^flog: copied \d of 5 events to /)
  return messagesOf(output)
}

async function messagesOf(path: string): Promise<string[]> {
  const messages: string[] = []
  for await (const part of readIncidentFile(path))
    if (part.kind === 'events') messages.push(...part.events.map(({ event }) => event.message))
  return messages
}

test.each<[FilterOptions, string[]]>([
  [{}, ['started', 'waiting {wait} ms', 'slow answer', 'checkout failed', 'after it']],
  [{ severity: 13 }, ['slow answer', 'checkout failed']],
  [{ above: 17 }, ['checkout failed']],
  [{ facility: 'db' }, ['waiting {wait} ms', 'slow answer']],
  [{ stripFacility: 'db' }, ['started', 'checkout failed', 'after it']],
  [{ after: '0' }, ['checkout failed', 'after it']],
  [{ before: '0' }, ['started', 'waiting {wait} ms', 'slow answer']],
  [{ grep: 'WAITING 1500' }, ['waiting {wait} ms']],
  [{ grep: '/^s.*(d|r)$/' }, ['started', 'slow answer']],
  [{ grep: '/orders/7' }, ['slow answer']],
  [{ trace: 'AB12' }, ['waiting {wait} ms']],
  [{ where: 'wait>1000 OR is:trigger' }, ['waiting {wait} ms', 'checkout failed']],
  [{ where: 'started OR slow', facility: 'shop' }, ['started']],
])('with %j it copies %j', async (options, messages) => {
  expect(await filtered(options)).toEqual(messages)
})

test('what the options say is one expression', () => {
  expect(
    filterText({
      ...{
        severity: 14,
        facility: 'db',
        stripFacility: 'db pool',
        after: '-12s',
        before: '2026-11-21 20:31',
      },
      ...{ trace: 'ab', grep: 'a "b"', where: 'x OR y' },
    }),
  ).toBe(
    'severity>=warn2 facility:db -facility:"db pool" after:-12s before:"2026-11-21 20:31" trace:ab "a \\"b\\"" (x OR y)',
  )
  expect(filterText({ where: ' ' })).toBe('')
  expect(filterText({ where: 'a OR b' })).toBe('a OR b')
})

test('header and trailer say what was done', async () => {
  const output = join(cwd, 'marked.flog.gz')
  await flog(['filter', INPUT, '-o', output, '-p', 'warn'], { cwd })
  const { header, trailer, verdict } = await verifyIncidentFile(output)
  expect(verdict.state).toBe('whole')
  expect(gunzipSync(readFileSync(output)).subarray(0, 13).toString()).toBe('FLOG incident')
  expect(header?.rewritten).toMatchObject([
    { by: 'filter', filter: 'severity>=warn', flog: expect.any(String) },
  ])
  expect(header?.trigger.event.message).toBe('checkout failed')
  expect(trailer).toMatchObject({
    events: { total: 2, history: 2, after: 0 },
    source: { events: 5, state: 'whole' },
  })
})

test('in place, a file is replaced, with its permissions, also behind a link', async () => {
  const real = join(cwd, 'real.incident.flog')
  copyFileSync(INPUT, real)
  linkSync(real, join(cwd, 'before.flog'))
  symlinkSync('real.incident.flog', join(cwd, 'link.flog'))
  const mode = lstatSync(real).mode
  const { code, stderr } = await flog(['filter', '--in-place', 'link.flog', '-w', 'severity>=error'], { cwd })
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('copied 1 of 5 events') })
  expect(await messagesOf(real)).toEqual(['checkout failed'])
  expect(lstatSync(real).mode).toBe(mode)
  expect(lstatSync(join(cwd, 'link.flog')).isSymbolicLink()).toBe(true)
  expect(await messagesOf(join(cwd, 'before.flog'))).toHaveLength(5)
})

test('it reads standard input', async () => {
  const output = join(cwd, 'piped.flog')
  const { code } = await flog(['filter', '-', '-o', output, '-p', 'error'], {
    cwd,
    input: readFileSync(INPUT),
  })
  expect(code).toBe(0)
  expect(await messagesOf(output)).toEqual(['checkout failed'])
})

test('what is printed', async () => {
  for (const name of ['damaged-block', 'open', 'damaged-header', 'whole']) {
    copyFileSync(join(FIXTURES, `${name}.incident.flog`), join(cwd, `${name}.flog`))
  }
  writeFileSync(join(cwd, 'there.flog'), 'mine')
  const calls = [
    ['whole.flog', '-o', 'new.flog', '-p', 'warn', '--strip-facility', 'db', '--before=+1s'],
    ['whole.flog', '-o', 'there.flog', '-p', 'warn'],
    ['whole.flog', '-o', 'whole.flog', '-p', 'warn'],
    ['whole.flog', '-p', 'warn'],
    ['whole.flog', '--in-place', '-o', 'other.flog'],
    ['whole.flog', '-o', 'other.flog', '-w', 'wait>'],
    ['whole.flog', '-o', 'other.flog', '-w', 'a) OR (b'],
    ['whole.flog', '-o', 'other.flog', '--after', 'lunch'],
    ['whole.flog', '-o', 'no/such/directory.flog'],
    ['damaged-block.flog', '-o', 'rest.flog'],
    ['damaged-block.flog', '--in-place'],
    ['damaged-header.flog', '-o', 'other.flog'],
    ['open.flog', '-o', 'open-copy.flog'],
    ['open.flog', '--in-place'],
    ['nowhere.flog', '-o', 'other.flog'],
    ['nowhere.flog', '--in-place'],
    ['.', '-o', 'other.flog'],
    ['whole.flog', '-o', '-'],
    ['whole.flog', '-o', '.'],
    ['whole.flog', '-o', 'other.flog.bz2'],
  ]
  const forced = [
    ['whole.flog', '-o', 'there.flog', '-p', 'warn', '--force'],
    ['damaged-block.flog', '--in-place', '--force'],
  ]
  const print = async (call: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await flog(['filter', ...call], { cwd })
    return `$ flog filter ${call.join(' ')}\n${stdout}${stderr}exit code ${code}\n\n`
  }
  const text = [...(await Promise.all(calls.map(print))), ...(await Promise.all(forced.map(print)))].join('')
  expectGolden('filter.txt', text)
  expect(readdirSync(cwd).filter((name) => name === 'other.flog' || name.endsWith('.tmp'))).toEqual([])
}, 60_000)

function expectGolden(name: string, text: string): void {
  const path = join(GOLDEN, name)
  if (process.env['FLOG_UPDATE_FIXTURES'] === '1') writeFileSync(path, text)
  expect(text).toBe(readFileSync(path, 'utf8'))
}
