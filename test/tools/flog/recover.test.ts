import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { parsed } from '../../incident/parsing'
import { deadProcess, incident, type SampleOptions, writeSample } from '../../incident/samples'
import { canMount, SmallDisk } from '../../recorder/small-disk'
import { type Ended, flog, jsonLines, scratchDirectory } from './command'

const FIXTURES = join(__dirname, '../../../fixtures/incident/v1')
const scratch = scratchDirectory()

let directory: string
let runs = 0
beforeEach(() => {
  directory = join(scratch, `incidents-${runs++}`)
  mkdirSync(directory)
})

/** A plain file of a process of this machine that is no more. */
function leave(number: number, options: SampleOptions = {}): string {
  return writeSample(directory, { id: incident(number), process: deadProcess(), ...options })
}

/** What is in a directory: names, and whether any of it was touched. */
function contents(): string[] {
  return readdirSync(directory)
    .sort()
    .map((name) => {
      const { ino, mtimeMs, size } = statSync(join(directory, name))
      return [name, ino, mtimeMs, size].join(' ')
    })
}

function finishedFile(path: string): ReturnType<typeof parsed> {
  expect(readdirSync(directory)).toContain(`${basename(path)}.gz`)
  return parsed(readFileSync(`${path}.gz`))
}

/** A second run finds nothing to do, says so, and touches nothing. */
async function expectNothingMore(): Promise<void> {
  const before = contents()
  expect(await flog(['recover', directory])).toEqual({
    ...{ code: 0, signal: null, stdout: '' },
    stderr: `flog: nothing to recover in ${directory}\n`,
  })
  expect(contents()).toEqual(before)
}

function recovered(ended: Ended, ...paths: readonly string[]): void {
  expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' })
  const lines = ended.stdout.trimEnd().split('\n')
  expect(lines).toEqual(paths.map((path) => expect.stringContaining(`recovered ${path}.gz  `)))
}

describe('flog recover finishes', () => {
  test('a plain file with and without a trailer', async () => {
    const [closed, open] = [leave(1), leave(2, { trailer: false })]
    recovered(await flog(['recover', directory]), closed, open)
    expect(finishedFile(closed).trailer?.reason).toBe('events')
    expect(finishedFile(open)).toMatchObject({ trailer: { reason: 'adopted' }, verdict: { state: 'whole' } })
    await expectNothingMore()
  })

  test.each([0, 1, 700, -1])('a plain file beside a compressed one that is cut (%d bytes)', async (bytes) => {
    const path = leave(1)
    const whole = readFileSync(join(FIXTURES, 'whole.incident.flog.gz'))
    writeFileSync(`${path}.gz`, whole.subarray(0, bytes))
    recovered(await flog(['recover', directory]), path)
    expect(finishedFile(path)).toMatchObject({ verdict: { state: 'whole' }, header: { id: incident(1) } })
    expect(readdirSync(directory)).toHaveLength(1)
    await expectNothingMore()
  })

  test('a plain file beside its compressed one, which stays as it is', async () => {
    const path = leave(1)
    await flog(['recover', directory])
    const { ino } = statSync(`${path}.gz`)
    leave(1)
    recovered(await flog(['recover', directory]), path)
    expect(readdirSync(directory)).toEqual([`${basename(path)}.gz`])
    expect(statSync(`${path}.gz`).ino).toBe(ino)
    await expectNothingMore()
  })

  test('what is whole of a file whose last write was torn', async () => {
    const path = leave(1, { trailer: false })
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.subarray(0, -30))
    recovered(await flog(['recover', directory]), path)
    expect(finishedFile(path)).toMatchObject({
      verdict: { state: 'whole' },
      trailer: { events: { total: 25 } },
    })
    await expectNothingMore()
  })
})

test('flog recover has nothing to do with a compressed file of no bytes that nothing stands beside', async () => {
  writeFileSync(`${leave(1)}.gz`, '')
  renameSync(leave(1), join(scratch, 'elsewhere'))
  await expectNothingMore()
})

describe('flog recover removes a file of no bytes', () => {
  function leaveEmpty(ageSeconds: number): string {
    const path = leave(1)
    writeFileSync(path, '')
    const changed = Date.now() / 1000 - ageSeconds
    utimesSync(path, changed, changed)
    return path
  }

  test('that nobody has written to for a minute, and says so', async () => {
    const path = leaveEmpty(61)
    expect(await flog(['recover', directory])).toEqual({
      ...{ code: 0, signal: null, stderr: '' },
      stdout: `removed   ${path}  (of no use any more)\n`,
    })
    expect(readdirSync(directory)).toEqual([])
    await expectNothingMore()
  })

  test('and says so in JSON', async () => {
    const path = leaveEmpty(3600)
    const { stdout } = await flog(['recover', directory, '--json'])
    expect(jsonLines(stdout)).toEqual([{ removed: path }])
  })

  test('that is younger when it is a minute old', async () => {
    const path = leaveEmpty(58)
    const { code, stdout, stderr } = await flog(['recover', directory])
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(`removed   ${path}`) })
    expect(stderr).toMatch(/^flog: 1 file of unknown processes: waiting/)
  })
})

describe('flog recover leaves alone, with exit code 1 and the reason, and twice the same', () => {
  async function expectLeftAlone(path: string, message: RegExp, code: string): Promise<void> {
    const bytes = readFileSync(path)
    for (let run = 1; run <= 2; run++) {
      const before = contents()
      const ended = await flog(['recover', directory])
      expect(ended).toMatchObject({ code: 1, stdout: '' })
      expect(ended.stderr).toMatch(message)
      expect(ended.stderr.split('\n')).toHaveLength(2)
      expect(contents()).toEqual(before)
    }
    const { stdout } = await flog(['recover', directory, '--json'])
    expect(jsonLines(stdout)).toEqual([{ leftAlone: path, code, message: expect.any(String) }])
    expect(readFileSync(path)).toEqual(bytes)
  }

  test('a file of a newer version', async () => {
    const path = join(directory, 'x.incident.flog')
    copyFileSync(join(FIXTURES, 'newer-major.incident.flog'), path)
    await expectLeftAlone(
      path,
      /left alone .*x\.incident\.flog: the file has format 2\.0; .*update it$/m,
      'FLOG_FILE_NEWER',
    )
  })

  test('a file that ends inside its header', async () => {
    const path = leave(1)
    writeFileSync(path, readFileSync(path).subarray(0, 200))
    await expectLeftAlone(path, /left alone .*: the header .* cannot be read/, 'FLOG_FILE_CORRUPT')
  })

  test('does not keep it from finishing the others', async () => {
    const bad = leave(1)
    writeFileSync(bad, 'no incident')
    const good = leave(2)
    const ended = await flog(['recover', directory])
    expect(ended).toMatchObject({ code: 1, stdout: expect.stringContaining(`recovered ${good}.gz`) })
    expect(finishedFile(good).verdict?.state).toBe('whole')
  })
})

const withDisk = canMount() ? describe : describe.skip

withDisk('flog recover in a directory it may not write (skipped where tests may not mount one)', () => {
  test('says so, with exit code 1, leaves all as it is, and finishes it when it may', async () => {
    directory = join(scratch, 'read-only')
    const disk = new SmallDisk(directory, '1m')
    try {
      const path = leave(1)
      disk.remount('ro')
      const before = contents()
      const ended = await flog(['recover', directory])
      expect(ended).toMatchObject({ code: 1, stdout: '' })
      expect(ended.stderr).toMatch(/^flog: left alone .*: .*EROFS.*\n$/)
      expect(contents()).toEqual(before)
      disk.remount('rw')
      recovered(await flog(['recover', directory]), path)
    } finally {
      disk.end()
    }
  })

  test('that is full leaves all as it is, and finishes it when there is room', async () => {
    directory = join(scratch, 'full')
    const disk = new SmallDisk(directory, '400k')
    try {
      const path = leave(1, { history: 3000, eventBytes: 60 })
      expect(() => writeFileSync(join(directory, 'filler'), Buffer.alloc(1024 ** 2))).toThrow('ENOSPC')
      const names = readdirSync(directory)
      const ended = await flog(['recover', directory])
      expect(ended).toMatchObject({ code: 1, stdout: '' })
      expect(ended.stderr).toMatch(/^flog: left alone .*: .*ENOSPC.*\n$/)
      expect(readdirSync(directory)).toEqual(names)
      disk.remount('size=4m')
      recovered(await flog(['recover', directory]), path)
    } finally {
      disk.end()
    }
  })
})
