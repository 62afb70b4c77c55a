import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyIncidentFile } from '../../src/incident/verify'
import { buildFile, gzipFile, plainFile } from '../../tools/fixtures/incident-file'

const PLAIN = plainFile(buildFile({ name: 'verify test', history: [[{}, {}], [{}]] }))
const SHA256 = createHash('sha256').update(PLAIN).digest('hex')
let directory = ''
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'flog-verify-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function fileWith(bytes: Uint8Array): string {
  const path = join(directory, 'sample')
  writeFileSync(path, bytes)
  return path
}

test.each([
  ['decode', 'plain', PLAIN],
  ['decode', 'compressed', gzipFile(PLAIN, 300)],
  ['count', 'plain', PLAIN],
  ['count', 'compressed', gzipFile(PLAIN, 300)],
] as const)(
  'with events to %s, a %s file is whole and has the checksum of its plain bytes',
  async (events, _, bytes) => {
    const found = await verifyIncidentFile(fileWith(bytes), { events })
    expect(found).toMatchObject({ verdict: { state: 'whole', events: 4 }, sha256: SHA256 })
    expect(found.header?.service).toBe('shop')
    expect(found.trailer?.events.total).toBe(4)
  },
)

test('a damaged compressed file has no checksum of plain bytes', async () => {
  const found = await verifyIncidentFile(fileWith(gzipFile(PLAIN, 300).fill(0, 350, 360)))
  expect(found.verdict.state).toBe('corrupt')
  expect(found).not.toHaveProperty('sha256')
})

test('a truncated plain file is told apart from a corrupt one', async () => {
  const truncated = await verifyIncidentFile(fileWith(PLAIN.subarray(0, PLAIN.length - 3)))
  const corrupt = await verifyIncidentFile(fileWith(Buffer.from(PLAIN).fill(0, 1000, 1003)))
  expect([truncated.verdict.state, corrupt.verdict.state]).toEqual(['truncated', 'corrupt'])
})
