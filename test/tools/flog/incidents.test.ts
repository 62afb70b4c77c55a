import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Flog, flog, jsonLines } from './command'
import { incidentFiles, Recordings, record } from './record/recordings'

const FIXTURES = join(__dirname, '../../../fixtures/incident/v1')
const recordings = new Recordings()

/** A directory with one finished incident in it. */
async function directoryWithIncident(): Promise<string> {
  const directory = recordings.fresh()
  await record(directory, ['-q', '--service', 'shop'], 'hello\nerror: it broke\nafter\n')
  return directory
}

describe('flog incidents DIR', () => {
  test('prints a table, and the same as JSON', async () => {
    const directory = await directoryWithIncident()
    const [table, json] = await Promise.all([
      flog(['incidents', directory]),
      flog(['incidents', directory, '--json']),
    ])
    const [heading, line, ...rest] = table.stdout.split('\n')
    expect(heading).toMatch(/^WHEN +ID +STATE +EVENTS +SIZE +SERVICE +LEVEL +TRIGGER$/)
    expect(line).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +[0-9a-f]{16}-1 +finished +\d +[\d.]+ K?i?B +shop +error +stdout: it broke$/,
    )
    expect(rest).toEqual([''])
    expect(jsonLines(json.stdout)).toEqual([
      expect.objectContaining({
        state: 'finished',
        service: 'shop',
        trigger: expect.objectContaining({ kind: 'event' }),
      }),
    ])
  })

  test('an empty directory is said to be empty, on standard error', async () => {
    const directory = recordings.fresh()
    mkdirSync(directory)
    const { code, stdout, stderr } = await flog(['incidents', directory])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toBe(`flog: no incidents in ${directory}\n`)
  })

  test('--since leaves out what is older', async () => {
    const directory = await directoryWithIncident()
    expect((await flog(['incidents', directory, '--since', '1h'])).stdout).toContain('it broke')
    expect((await flog(['incidents', directory, '--since', '2100-01-01'])).stdout).toBe('')
  })

  test('a file that cannot be read is told, and is exit code 1; the others are listed', async () => {
    const directory = await directoryWithIncident()
    copyFileSync(join(FIXTURES, 'foreign-text.incident.flog'), join(directory, 'strange.incident.flog'))
    const { code, stdout, stderr } = await flog(['incidents', directory])
    expect(code).toBe(1)
    expect(stdout).toContain('it broke')
    expect(stderr).toContain('strange.incident.flog: ')
  })

  test('of a file it says how to read it', async () => {
    const file = join(FIXTURES, 'whole.incident.flog')
    expect(await flog(['incidents', file])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`flog dump ${file}`),
    })
  })

  test('--follow goes on with each incident that opens and closes, once, until it is interrupted', async () => {
    const directory = await directoryWithIncident()
    const follower = new Flog(['incidents', directory, '--follow', '--json'])
    await follower.until(/finished/)
    const recorder = new Flog(['record', '-q', '-d', directory])
    recorder.child.stdin.write('error: again\n')
    await follower.until(/"state":"open"/)
    recorder.child.stdin.end()
    await recorder.ended
    await follower.until(/("finished"[\s\S]*){2}/)
    follower.kill('SIGINT')
    const { code, stdout } = await follower.ended
    expect(code).toBe(130)
    expect(jsonLines(stdout).map(({ state }) => state)).toEqual(['finished', 'open', 'finished'])
  })
})

describe('flog verify', () => {
  test('a line for each file, exit code 1 for any bad one', async () => {
    const [whole, open, bad] = [
      'whole.incident.flog.gz',
      'open.incident.flog',
      'damaged-block.incident.flog',
    ].map((name) => join(FIXTURES, name)) as [string, string, string]
    const good = await flog(['verify', whole, open])
    expect(good.code).toBe(0)
    expect(good.stdout).toMatch(/whole.incident.flog.gz: whole: 11 events\n.*open.incident.flog: open: /)
    const mixed = await flog(['verify', bad, whole, join(FIXTURES, 'foreign-json.incident.flog')])
    expect(mixed.code).toBe(1)
    expect(mixed.stdout).toMatch(
      /damaged-block.incident.flog: corrupt: 7 events could be read, 4 are lost\n {2}at \d+: /,
    )
    expect(mixed.stdout).toContain('whole: 11 events')
  })

  test('a plain file and its compressed copy have the same checksum', async () => {
    const { stdout } = await flog([
      'verify',
      '--json',
      join(FIXTURES, 'whole.incident.flog'),
      join(FIXTURES, 'whole.incident.flog.gz'),
    ])
    const [plain, gzip] = jsonLines(stdout)
    expect(plain).toMatchObject({
      state: 'whole',
      events: 11,
      damage: [],
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect(gzip?.['sha256']).toBe(plain?.['sha256'])
  })
})

describe('flog recover', () => {
  test('finishes what a killed process left, and finds nothing to do the second time', async () => {
    const directory = recordings.fresh()
    const killed = new Flog(['record', '-d', directory])
    killed.child.stdin.write('before\nerror: x\n')
    await killed.until(/flog: incident/)
    killed.kill('SIGKILL')
    await killed.ended
    expect(incidentFiles(directory)).toEqual([expect.stringMatching(/\.flog$/)])
    const first = await flog(['recover', directory])
    expect(first).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^recovered .*\.gz {2}error stdout: x\n$/),
    })
    expect(incidentFiles(directory)).toEqual([expect.stringMatching(/\.gz$/)])
    expect(await flog(['recover', directory])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('nothing to recover'),
    })
  })

  test('leaves alone what it cannot read', async () => {
    const directory = recordings.fresh()
    mkdirSync(directory)
    const strange = join(directory, 'x.incident.flog')
    writeFileSync(strange, 'something else')
    const { code, stderr } = await flog(['recover', directory])
    expect(code).toBe(1)
    expect(stderr).toContain(`left alone ${strange}`)
    expect(readFileSync(strange, 'utf8')).toBe('something else')
    expect(statSync(strange).size).toBe(14)
  })
})
