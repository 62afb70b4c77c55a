import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { flog, scratchDirectory } from '../command'

const FIXTURES = join(__dirname, '../../../../fixtures')
const WHOLE = join(FIXTURES, 'incident/v1/whole.incident.flog')
const FOOLSCAP = join(FIXTURES, 'foolscap/incident-trailing/incident-2026-11-21--20-34-11Z-wouiqja.flog.bz2')
const directory = scratchDirectory()

function recordingIn(html: string): Buffer {
  const match = /<script type="application\/octet-stream" id="flog-recording">([^<]*)<\/script>/.exec(html)
  return gunzipSync(Buffer.from(match?.[1] ?? '', 'base64'))
}

test('the incident is in the page, byte for byte, and nothing else is left behind', async () => {
  const output = join(directory, 'page.html')
  const { code, stderr } = await flog(['export', '-F', 'html', WHOLE, '-o', output])
  expect([code, stderr]).toEqual([0, ''])
  const html = readFileSync(output, 'utf8')
  expect(recordingIn(html)).toEqual(readFileSync(WHOLE))
  expect(html).toContain("default-src 'none'")
})

test('what comes on standard input is taken as well, a log of Foolscap too', async () => {
  const own = await flog(['export', '-F', 'html', '-'], { input: readFileSync(WHOLE) })
  expect([own.code, own.stderr]).toEqual([0, ''])
  expect(recordingIn(own.stdout)).toEqual(readFileSync(WHOLE))
  const foreign = await flog(['export', '-F', 'html', '-'], { input: readFileSync(FOOLSCAP) })
  expect([foreign.code, foreign.stderr]).toEqual([0, ''])
  expect(recordingIn(foreign.stdout).subarray(0, 5).toString()).toMatch(/flog/i)
})

test('a damaged file is put into a page, and the exit code says that something is missing', async () => {
  for (const path of ['incident/v1/cut-in-block.incident.flog', 'foolscap/bad/torn-last-line.flog']) {
    const { code, stdout } = await flog(['export', '-F', 'html', join(FIXTURES, path)])
    expect(code).toBe(1)
    expect(recordingIn(stdout).length).toBeGreaterThan(100)
  }
})

test.each([
  ['a text', Buffer.from('DATABASE_PASSWORD=x\n'), /plain text/],
  ['gzip of something else', gzipSync('DATABASE_PASSWORD=x\n'), /gzip|plain text/],
  ['nothing', Buffer.alloc(0), /empty/],
  ['a pickle', readFileSync(join(FIXTURES, 'foolscap/bad/old-pickle.flog')), /pickle/],
  ['a packed pickle', readFileSync(join(FIXTURES, 'foolscap/bad/old-pickle.flog.bz2')), /pickle/],
])('%s is refused with the reason, by its name, and never gets into a page', async (_, bytes, reason) => {
  const path = join(directory, 'not-an-incident')
  const output = join(directory, 'refused.html')
  writeFileSync(path, bytes)
  const { code, stderr } = await flog(['export', '-F', 'html', path, '-o', output])
  expect(code).toBe(1)
  expect(stderr).toMatch(reason)
  expect(stderr).toContain(path)
  expect(existsSync(output)).toBe(false)
})

test('a bomb is refused at the limit, also from standard input', async () => {
  const bomb = gzipSync(Buffer.concat([readFileSync(WHOLE), new Uint8Array(16 * 1024 * 1024)]))
  const path = join(directory, 'bomb.incident.flog.gz')
  writeFileSync(path, bomb)
  for (const name of [path, '-']) {
    const { code, stdout, stderr } = await flog(['export', '-F', 'html', '--max-size', '2MiB', name], {
      input: bomb,
      env: { TMPDIR: directory },
    })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/more than 2\.0 MiB.*\n.*--max-size/)
  }
  expect(readdirSync(directory).filter((name) => name.startsWith('flog-view-'))).toEqual([])
})
