import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { FlogError } from '../../src/base/errors'
import { gzipEnd, gzipMember } from '../../src/incident/gzip'
import { readIncident } from '../../src/incident/reader'
import { flog, scratchDirectory } from '../tools/flog/command'

// Each command is a process of its own, and some tests start four.
jest.setTimeout(60_000)

const MiB = 1024 * 1024
const WHOLE = readFileSync(join(__dirname, '../../fixtures/incident/v1/whole.incident.flog'))
const ZEROS = new Uint8Array(MiB)
const directory = scratchDirectory()

/** A whole incident, and zeros without an end behind it: a megabyte of them takes a thousand bytes. */
const BOMBS: readonly (readonly [string, Uint8Array])[] = [
  [
    'of our own members',
    Buffer.concat([gzipMember(WHOLE), ...Array(64).fill(gzipMember(ZEROS)), gzipEnd(0)]),
  ],
  ['of an ordinary gzip', gzipSync(Buffer.concat([WHOLE, new Uint8Array(64 * MiB)]))],
  ['of many ordinary members', Buffer.concat([gzipSync(WHOLE), ...Array(64).fill(gzipSync(ZEROS))])],
]

/** Plain bytes until reading ended, and how. */
async function readUpTo(bytes: Uint8Array, maxPlainBytes?: number) {
  let plain = 0
  let most = 0
  const options = {
    onPlain: (piece: Uint8Array) => {
      plain += piece.length
      most = Math.max(most, process.memoryUsage().arrayBuffers)
    },
    ...(maxPlainBytes !== undefined && { maxPlainBytes }),
  }
  const before = process.memoryUsage().arrayBuffers
  try {
    for await (const part of readIncident(oneChunk(bytes), options))
      if (part.kind === 'verdict') return { plain, grown: most - before, verdict: part.verdict }
  } catch (error) {
    return { plain, grown: most - before, error }
  }
  throw new Error('reading ended without a verdict')
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes
}

describe.each(BOMBS)('a bomb %s', (name, bomb) => {
  test('is small, and refused at the limit', async () => {
    expect(bomb.length).toBeLessThan(MiB / 4)
    const { error, plain } = await readUpTo(bomb, 8 * MiB)
    expect(FlogError.is(error, 'FLOG_FILE_TOO_LARGE')).toBe(true)
    expect(plain).toBeLessThan(8 * MiB + WHOLE.length)
  })

  test('is read to its end where the limit allows it, in memory that does not grow with it', async () => {
    const { verdict, grown } = await readUpTo(bomb)
    expect(verdict?.events).toBe(11)
    expect(grown).toBeLessThan(48 * MiB)
  })

  test('is told by the command with what to do, and read when that is done', async () => {
    const path = join(directory, `${name.replaceAll(' ', '-')}.incident.flog.gz`)
    writeFileSync(path, bomb)
    const refused = await flog(['dump', path, '--max-size', '2MiB'])
    expect(refused).toMatchObject({ code: 1, stderr: refusalOf(path) })
    const { stderr, stdout } = await flog(['dump', path, '--max-size', '100MiB'])
    expect(stderr).not.toContain('max-size')
    expect(stdout).toMatch(/: 11 events could be read/)
  })
})

test.each([
  ['verify'],
  ['classify'],
  ['filter', '-p', 'warn', '-o', 'made.flog'],
  ['scrub', '--default', '-o', 'made.flog'],
  ['export', '-F', 'otlp'],
])('flog %s tells it too, and leaves nothing half-made', async (verb, ...rest) => {
  const path = join(directory, `${verb}.incident.flog.gz`)
  writeFileSync(path, BOMBS[0]?.[1] ?? '')
  const made = rest.map((word) => (word === 'made.flog' ? join(directory, word) : word))
  const refused = await flog([verb, path, '--max-size', '2MiB', ...made])
  expect(refused).toMatchObject({ code: 1, stderr: refusalOf(path) })
  expect(readdirSync(directory).filter((name) => name.startsWith('made'))).toEqual([])
})

function refusalOf(path: string): string {
  return (
    `flog: ${path}: it holds more than 2.0 MiB, unpacked, and was not read any further\n` +
    '  if that is what it should hold, raise the limit: --max-size <size>\n'
  )
}

test('a size that is none is a mistake', async () => {
  expect(await flog(['dump', 'x', '--max-size', 'much'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('option --max-size takes a size'),
  })
})
