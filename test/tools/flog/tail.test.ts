import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Flog, flog, jsonLines } from './command'
import { Published } from './published'
import { incidentFiles, Recordings, record } from './record/recordings'

const recordings = new Recordings()

describe('flog tail LOGPORT', () => {
  let published: Published

  beforeAll(async () => {
    published = await new Published(recordings.fresh()).start()
    await published.log('DEBUG first', 'INFO second')
  })
  afterAll(() => published.end())

  test('shows what is logged from now on, with time, severity and facility', async () => {
    const tail = new Flog(['tail', published.logport])
    await tail.until(/connected to shop on /)
    await published.log('WARN live one')
    await tail.until(/^\d\d:\d\d:\d\d\.\d{3} warn {3}stdout {3}live one$/m)
    tail.kill('SIGINT')
    const { code, stdout } = await tail.ended
    expect(code).toBe(130)
    expect(stdout).not.toContain('first')
  })

  test('--catch-up begins with what is held, filters leave out the rest, --json is that of dump', async () => {
    const tail = new Flog(
      ['tail', '-c', '--json', '--severity', 'info', '--grep', 'SECOND', '--facility', 'stdout'],
      {
        env: { FLOG_LOGPORT: published.logport },
      },
    )
    await tail.until(/second/)
    await published.log('TRACE a second one', 'INFO yet another second one')
    await tail.until(/yet another/)
    tail.kill('SIGTERM')
    const { code, stdout } = await tail.ended
    expect(code).toBe(143)
    expect(jsonLines(stdout)).toEqual([
      expect.objectContaining({ severity: 'info', message: 'second', facility: 'stdout', fields: {} }),
      expect.objectContaining({ severity: 'info', message: 'yet another second one' }),
    ])
  })

  test('--save-to appends, so that an earlier file is not lost', async () => {
    const path = join(recordings.scratch, 'saved.jsonl')
    for (const text of ['one to save', 'two to save']) {
      const tail = new Flog(['tail', '--save-to', path, published.logport])
      await tail.until(/connected/)
      await published.log(text)
      await tail.until(new RegExp(text))
      tail.kill('SIGINT')
      await tail.ended
    }
    expect(jsonLines(readFileSync(path, 'utf8')).map(({ message }) => message)).toEqual([
      'one to save',
      'two to save',
    ])
  })

  test('a reader that goes away ends it', async () => {
    const tail = new Flog(['tail', '-c', published.logport])
    await tail.until(/first/)
    tail.child.stdout.destroy()
    await published.log('after the reader went')
    expect(await tail.ended).toMatchObject({ code: 0, stderr: expect.not.stringContaining('EPIPE') })
  })

  test('control characters of logged text do not reach the terminal', async () => {
    const tail = new Flog(['tail', published.logport])
    await tail.until(/connected/)
    await published.log('evil \u001b]0;title\u0007 end')
    expect((await tail.until(/evil.*end/))[0]).toBe('evil \\x1b]0;title\\x07 end')
    tail.kill('SIGINT')
    await tail.ended
  })
})

test('flog capture takes the control logport, and the incident has the reason', async () => {
  const published = await new Published(recordings.fresh()).start()
  await published.log('INFO nothing wrong')
  const refused = await flog(['capture', published.logport, '-m', 'slow'])
  expect(refused).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/control logport[\s\S]*logport\.control/),
  })
  const made = await flog(['capture', published.directory, '-m', 'slow since two'])
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[0-9a-f]{16}-1\n$/) })
  await published.end()
  const [name] = incidentFiles(published.directory)
  const { stdout } = await flog(['dump', join(published.directory, String(name))])
  expect(stdout).toMatch(/why +manual: slow since two/)
  expect(stdout).toContain('nothing wrong')
})

test('a process that dies is told; when it is back, the tail goes on and says that it restarted', async () => {
  const published = await new Published(recordings.fresh()).start()
  const tail = new Flog(['tail', '--json', published.logport])
  await tail.until(/connected/)
  await published.log('before')
  await tail.until(/before/)
  await published.kill()
  await tail.until(/connection to flog:\/\/127\.0\.0\.1:\d+ lost/)
  const port = /:(\d+)\/#/.exec(published.logport)?.[1] ?? ''
  const again = await new Published(published.directory, ['--port', port]).start()
  expect(again.logport).toBe(published.logport)
  await tail.until(/connected again/)
  await tail.until(/the process restarted: shop on /)
  await again.log('after')
  await tail.until(/after/)
  tail.kill('SIGINT')
  await again.end()
  const { code, stdout } = await tail.ended
  expect(code).toBe(130)
  expect(jsonLines(stdout).map(({ message }) => message)).toEqual(['before', 'after'])
})

describe('flog tail FILE and DIR', () => {
  test('a finished file is shown from its last lines, or whole, and ends', async () => {
    const directory = recordings.fresh()
    const lines = Array.from({ length: 30 }, (_, index) => `INFO line ${index}`)
    await record(directory, ['-q'], `${lines.join('\n')}\nerror: x\n`)
    const file = join(directory, String(incidentFiles(directory)[0]))
    const [last, some, whole] = await Promise.all([
      flog(['tail', file]),
      flog(['tail', '-n', '2', file]),
      flog(['tail', '-c', file]),
    ])
    expect(last.stdout.match(/line \d+/g)).toHaveLength(9)
    expect(some.stdout).toMatch(/^.*line 29\n.*x {2}◀ TRIGGER\n$/)
    expect(whole.stdout.match(/line \d+/g)).toHaveLength(30)
    expect(whole.code).toBe(0)
  })

  test('the open incident of a directory is followed while it grows, then the next one', async () => {
    const directory = recordings.fresh()
    const first = new Flog(['record', '-d', directory])
    first.child.stdin.write('error: x\n')
    await first.until(/flog: incident/)
    const tail = new Flog(['tail', directory])
    await tail.until(/x {2}◀ TRIGGER/)
    first.child.stdin.write('INFO the aftermath\n')
    await tail.until(/the aftermath/)
    first.child.stdin.end()
    await first.ended
    await record(directory, ['-q'], 'error: another one\n')
    await tail.until(/another one {2}◀ TRIGGER/)
    tail.kill('SIGINT')
    expect((await tail.ended).code).toBe(130)
  })
})
