import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Flog, flog, jsonLines } from './command'
import { incidentFiles, Recordings, record } from './record/recordings'

const recordings = new Recordings()

describe('flog serve, seen from elsewhere', () => {
  let directory = ''
  let logport = ''
  let server: Flog

  beforeAll(async () => {
    directory = recordings.fresh()
    await record(directory, ['-q', '--service', 'shop'], 'error: one\n')
    await record(directory, ['-q', '--service', 'shop'], 'error: two\n')
    server = new Flog([
      'serve',
      directory,
      '--tls',
      '--logport-file',
      join(recordings.scratch, 'shop.logport'),
    ])
    logport = (await server.until(/^flogs:\/\/\S+$/m))[0]
  })
  afterAll(async () => {
    server.kill('SIGINT')
    expect((await server.ended).code).toBe(130)
  })

  test('it says what it serves on standard error, and writes the logport where nobody else can read it', async () => {
    await server.until(/serving 2 incidents/)
    const path = join(recordings.scratch, 'shop.logport')
    expect(readFileSync(path, 'utf8')).toBe(`${logport}\n`)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('the list is that of the directory, whichever way the logport is given', async () => {
    const [there, here, byFile, byDirectory] = await Promise.all([
      flog(['incidents', '--json'], { env: { FLOG_LOGPORT: logport } }),
      flog(['incidents', '--json', directory]),
      flog(['incidents', '--json', join(recordings.scratch, 'shop.logport')]),
      flog(['incidents', '--json', join(directory, '.flog')]),
    ])
    expect(jsonLines(there.stdout)).toEqual(jsonLines(here.stdout))
    expect(byFile.stdout).toBe(there.stdout)
    expect(byDirectory.stdout).toBe(there.stdout)
  })

  test('--all fetches the same bytes; what is here already is not fetched again', async () => {
    const to = recordings.fresh()
    const first = await flog(['fetch', logport, '--all', '--to', to])
    expect(first.code).toBe(0)
    const paths = first.stdout.trim().split('\n')
    expect(paths).toHaveLength(2)
    for (const name of incidentFiles(directory)) {
      expect(readFileSync(join(to, name)).equals(readFileSync(join(directory, name)))).toBe(true)
    }
    const second = await flog(['fetch', '--all', '--to', to], { env: { FLOG_LOGPORT: logport } })
    expect(second.stdout).toBe(first.stdout)
    expect(readdirSync(to).filter((name) => name.includes('part'))).toEqual([])
  })

  test('one is fetched by its id; an unknown one is exit code 1 and does not stop the others', async () => {
    const [summary] = jsonLines((await flog(['incidents', '--json', directory])).stdout)
    const id = String(summary?.['id'])
    const { code, stdout, stderr } = await flog([
      'fetch',
      logport,
      '0123456789abcdef-1',
      id,
      '--to',
      recordings.fresh(),
    ])
    expect(code).toBe(1)
    expect(stderr).toContain('0123456789abcdef-1')
    expect(stdout).toContain(id)
  })

  test('--latest is the newest', async () => {
    const { stdout } = await flog(['fetch', logport, '--latest', '--json', '--to', recordings.fresh()])
    const [fetched] = jsonLines(stdout)
    const dumped = await flog(['dump', '--json', String(fetched?.['path'])])
    expect(dumped.stdout).toContain('"message":"two"')
  })

  test('there is nothing to tail, and it says so', async () => {
    const { code, stderr } = await flog(['tail', logport])
    expect(code).toBe(1)
    expect(stderr).toMatch(/has no events to follow[\s\S]*flog incidents/)
  })

  test('a wrong secret is refused without a word of it in the message', async () => {
    const wrong = logport.replace(/#read\.(....)/, '#read.AAAA')
    const { code, stderr } = await flog(['incidents', wrong])
    expect(code).toBe(1)
    expect(stderr).not.toContain(wrong.slice(wrong.indexOf('#')))
  })
})

test('incidents that are still open are named by --all, with the way to a snapshot', async () => {
  const directory = recordings.fresh()
  const recorder = new Flog(['record', '-q', '-d', directory])
  recorder.child.stdin.write('error: it goes on\n')
  const server = new Flog(['serve', await untilThere(directory)])
  const logport = (await server.until(/^flog:\/\/\S+$/m))[0]
  const to = recordings.fresh()
  const { code, stdout, stderr } = await flog(['fetch', logport, '--all', '--to', to])
  expect(stdout).toBe('')
  expect(code).toBe(0)
  expect(stderr).toContain('1 incident')
  expect(stderr).not.toContain('no incidents')
  const [, id = ''] = /still open[\s\S]*flog fetch LOGPORT ([0-9a-f]{16}-\d+)/.exec(stderr) ?? []
  const snapshot = await flog(['fetch', logport, id, '--to', to])
  expect(snapshot.stdout).toMatch(/\.snapshot\.flog$/m)
  recorder.child.stdin.end()
  await recorder.ended
  server.kill('SIGINT')
  await server.ended
})

async function untilThere(directory: string): Promise<string> {
  while (incidentFiles(directory).length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  return directory
}

test.each([
  ['in the wrong place', ['fetch', '0123456789abcdef-1', `flog://127.0.0.1:9/#read.${'Q'.repeat(43)}`]],
  ['mistyped', ['tail', `Flog://127.0.0.1:9/#read.${'Q'.repeat(43)}`]],
  ['cut in two', ['fetch', `127.0.0.1:9/#read.${'Q'.repeat(43)}`, '--all']],
])('a logport %s is exit code 2, and its secret is not shown', async (_, args) => {
  const { code, stdout, stderr } = await flog(args)
  expect(code).toBe(2)
  expect(`${stdout}${stderr}`).not.toContain('QQQQ')
  expect(stderr).toContain('logport')
})

test('without a logport it says how to name one', async () => {
  const { code, stderr } = await flog(['fetch', '--all'])
  expect(code).toBe(2)
  expect(stderr).toContain('FLOG_LOGPORT')
})

test('nobody listens: exit code 1, and why', async () => {
  const { code, stderr } = await flog(['incidents', `flog://127.0.0.1:9/#read.${'A'.repeat(43)}`])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^flog: .*127\.0\.0\.1:9/)
})

test('beyond this machine it takes --tls', async () => {
  const { code, stderr } = await flog(['serve', recordings.scratch, '--host', '0.0.0.0'])
  expect(code).toBe(2)
  expect(stderr).toContain('option tls')
})
