import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { SystemClock } from '../../src/base/clock'
import { currentIdentity, ownerTag } from '../../src/base/identity'
import type { ProcessIdentity } from '../../src/base/process-identity'
import { Adopter, type AdoptionReport, adoptOrphans } from '../../src/incident/adopt'
import { IncidentDirectory } from '../../src/incident/directory'
import { claimPath, finishedPath, temporaryPath } from '../../src/incident/name'
import { verifyIncidentFile } from '../../src/incident/verify'
import { HandClock } from './hand-clock'
import { firstLine, kill, lines, startProgram } from './programs'
import {
  deadProcess,
  incident,
  type SampleOptions,
  samplePlain,
  temporaryDirectory,
  writeSample,
} from './samples'

const root = temporaryDirectory()
const clock = new SystemClock()
let directory: IncidentDirectory

beforeEach(() => {
  directory = new IncidentDirectory({ path: root.path })
})

function sweep(): Promise<AdoptionReport> {
  return adoptOrphans(directory, { clock })
}

function put(number: number, options: SampleOptions = {}): string {
  return writeSample(root.path, { id: incident(number), process: deadProcess(), ...options })
}

function names(): string[] {
  return readdirSync(root.path).sort()
}

const NOTHING: AdoptionReport = { adopted: [], removed: [], waiting: [], leftAlone: [] }

describe('what a killed process left', () => {
  test.each(['open', 'closed', 'torn'])('%s, it is finished, with all its whole events', async (stage) => {
    const program = startProgram('write-incident', root.path, '1', stage)
    const path = await firstLine<string>(program)
    expect(await sweep()).toEqual(NOTHING)
    await kill(program)
    const { adopted } = await sweep()
    expect(adopted.map(({ summary }) => summary)).toEqual([
      expect.objectContaining({
        id: incident(1),
        state: 'finished',
        closeReason: stage === 'closed' ? 'events' : 'adopted',
        events:
          stage === 'torn' ? { total: 25, history: 21, after: 4 } : { total: 26, history: 21, after: 5 },
      }),
    ])
    expect(names()).toEqual([basename(finishedPath(path))])
    expect((await verifyIncidentFile(finishedPath(path))).verdict.state).toBe('whole')
    expect(await sweep()).toEqual(NOTHING)
  })

  test('stopped is not dead', async () => {
    const program = startProgram('write-incident', root.path)
    await firstLine(program)
    program.kill('SIGSTOP')
    expect(await sweep()).toEqual(NOTHING)
    await kill(program)
    expect((await sweep()).adopted).toHaveLength(1)
  })

  test('is adopted by exactly one of several processes', async () => {
    for (let number = 1; number <= 12; number++) put(number, { trailer: number % 2 === 0 })
    const programs = [1, 2, 3].map(() => startProgram('adopt', root.path))
    const outputs = programs.map((program) =>
      lines<string | { adopted: string[]; leftAlone: string[] }>(program),
    )
    for (const output of outputs) expect((await output.next()).value).toBe('ready')
    for (const program of programs) program.stdin.write('go\n')
    const adopted: string[] = []
    for (const output of outputs) {
      const report = (await output.next()).value as { adopted: string[]; leftAlone: string[] }
      expect(report.leftAlone).toEqual([])
      adopted.push(...report.adopted)
    }
    expect(adopted.sort()).toEqual(Array.from({ length: 12 }, (_, i) => incident(i + 1)).sort())
    expect((await directory.list()).map(({ state }) => state)).toEqual(Array(12).fill('finished'))
    expect(names()).toHaveLength(12)
  })

  test('claimed by a process that died too, it is claimed again', async () => {
    const path = put(1)
    const adopter = startProgram('adopt', root.path, 'claim')
    const claim = await firstLine<string>(adopter)
    expect(existsSync(path)).toBe(false)
    expect(await sweep()).toEqual(NOTHING)
    await kill(adopter)
    expect((await sweep()).adopted.map(({ summary }) => summary.id)).toEqual([incident(1)])
    expect(existsSync(claim)).toBe(false)
    expect(names()).toEqual([basename(finishedPath(path))])
  })

  test('half-written temporary files are removed, those of the living are not', async () => {
    const path = put(1)
    const left = temporaryPath(path, ownerTag(deadProcess()), '00000000')
    const inUse = temporaryPath(path, ownerTag(currentIdentity()), '00000000')
    for (const file of [left, inUse]) writeFileSync(file, 'half')
    expect((await sweep()).removed).toEqual([left])
    expect(names()).toEqual([inUse, finishedPath(path)].map((file) => basename(file)).sort())
  })

  test('with a finished file beside it, the finished one is checked and kept', async () => {
    const path = put(1)
    await sweep()
    const { ino } = statSync(finishedPath(path))
    put(1)
    expect((await sweep()).adopted).toHaveLength(1)
    expect(statSync(finishedPath(path)).ino).toBe(ino)
    expect(names()).toHaveLength(1)
  })

  test('with a damaged finished file beside it, it is finished again', async () => {
    const path = put(1)
    await sweep()
    const damaged = readFileSync(finishedPath(path))
    damaged.fill(0, 100, 200)
    put(1)
    writeFileSync(finishedPath(path), damaged)
    expect((await sweep()).adopted).toHaveLength(1)
    expect(gunzipSync(readFileSync(finishedPath(path)))).toEqual(readFileSync(put(1)))
  })
})

describe('left alone', () => {
  test('what belongs to this process', async () => {
    put(1, { process: currentIdentity() })
    expect(await sweep()).toEqual(NOTHING)
    expect(names()).toHaveLength(1)
  })

  test('what is no incident: told once, and still there', async () => {
    const good = samplePlain({ process: deadProcess() })
    const newer = Buffer.from(good)
    newer.write('FLOG incident 7.0', 'latin1')
    newer.fill(0, 96, 112)
    const files = {
      'cut in the header': good.subarray(0, 300),
      'without a header': Buffer.concat([good.subarray(0, 200), Buffer.alloc(400), good.subarray(600)]),
      newer,
      foreign: Buffer.from('2026-11-21 hello\n'),
    }
    for (const [name, bytes] of Object.entries(files))
      writeFileSync(join(root.path, `${name}.incident.flog`), bytes)
    const before = names()
    const adopter = new Adopter(directory, { clock })
    const { leftAlone, ...rest } = await adopter.sweep()
    expect(rest).toEqual({ adopted: [], removed: [], waiting: [] })
    expect(leftAlone.map(({ path }) => basename(path)).sort()).toEqual(before)
    for (const { error } of leftAlone) expect(error.code).toMatch(/^FLOG_FILE_/)
    expect(leftAlone.find(({ path }) => path.includes('newer'))?.error.code).toBe('FLOG_FILE_NEWER')
    expect(await adopter.sweep()).toEqual(NOTHING)
    expect(names()).toEqual(before)
    for (const [name, bytes] of Object.entries(files)) {
      expect(readFileSync(join(root.path, `${name}.incident.flog`)).equals(bytes)).toBe(true)
    }
  })

  test('what is given up half-way goes back to its name', async () => {
    const path = put(1, { history: 20_000 })
    const giveUp = new AbortController()
    const sweeping = expect(adoptOrphans(directory, { clock }, giveUp.signal)).rejects.toMatchObject({
      code: 'FLOG_ABORTED',
    })
    while (!names().some((name) => name.endsWith('.tmp'))) await new Promise(setImmediate)
    giveUp.abort()
    await sweeping
    expect(names()).toEqual([basename(path)])
    expect((await sweep()).adopted).toHaveLength(1)
  })
})

describe('a process that cannot be asked for', () => {
  const elsewhere: ProcessIdentity = { ...deadProcess(), bootId: 'another boot' }

  test('is waited for until its file has stood still for a minute of our own clock', async () => {
    const hand = new HandClock()
    const adopter = new Adopter(directory, { clock: hand })
    const path = put(1, { process: elsewhere })
    utimesSync(path, 0, 0)
    expect((await adopter.sweep()).waiting).toEqual([{ path, remainingMs: 60_000 }])
    hand.advance(40_000)
    expect((await adopter.sweep()).waiting).toEqual([{ path, remainingMs: 20_000 }])
    writeFileSync(path, samplePlain({ process: elsewhere, after: 6 }))
    hand.advance(40_000)
    expect((await adopter.sweep()).waiting).toEqual([{ path, remainingMs: 60_000 }])
    utimesSync(path, 1, 1)
    hand.advance(59_999)
    expect((await adopter.sweep()).waiting).toEqual([{ path, remainingMs: 60_000 }])
    hand.advance(60_000)
    expect((await adopter.sweep()).adopted).toHaveLength(1)
  })

  test('also where it left a claim or a temporary file', async () => {
    const hand = new HandClock()
    const adopter = new Adopter(directory, { clock: hand })
    const path = put(1, { process: elsewhere })
    const claim = claimPath(path, ownerTag(elsewhere))
    const temporary = temporaryPath(path, ownerTag(elsewhere), '00000000')
    renameSync(path, claim)
    writeFileSync(temporary, 'half')
    expect((await adopter.sweep()).waiting.map((file) => file.path).sort()).toEqual([claim, temporary].sort())
    hand.advance(60_000)
    expect(await adopter.sweep()).toMatchObject({
      adopted: [{ path: finishedPath(path) }],
      removed: [temporary],
    })
  })

  test('settling waits for it', async () => {
    put(1, { process: elsewhere })
    put(2)
    const adopter = new Adopter(directory, { clock, stillMs: 50 })
    const { adopted, waiting } = await adopter.settle()
    expect(adopted.map(({ summary }) => summary.id)).toEqual([incident(2), incident(1)])
    expect(waiting).toEqual([])
  })
})

describe('a file of no bytes, which names no process', () => {
  const aMinuteAgo = (): number => Date.now() / 1000 - 61

  function putEmpty(number = 1): string {
    const path = put(number)
    writeFileSync(path, '')
    return path
  }

  test('is removed when it is a minute old', async () => {
    const path = putEmpty()
    utimesSync(path, aMinuteAgo(), aMinuteAgo())
    expect(await sweep()).toEqual({ ...NOTHING, removed: [path] })
    expect(names()).toEqual([])
    expect(await sweep()).toEqual(NOTHING)
  })

  test('is removed also where it has a name of its own', async () => {
    const path = join(root.path, 'empty.incident.flog')
    writeFileSync(path, '')
    utimesSync(path, aMinuteAgo(), aMinuteAgo())
    expect((await sweep()).removed).toEqual([path])
  })

  test('is waited for while it is younger, for what is left of the minute', async () => {
    const path = putEmpty()
    const halfAMinuteAgo = Date.now() / 1000 - 30
    utimesSync(path, halfAMinuteAgo, halfAMinuteAgo)
    const { removed, waiting } = await sweep()
    expect(removed).toEqual([])
    expect(waiting).toEqual([{ path, remainingMs: expect.any(Number) }])
    expect(Math.abs((waiting[0]?.remainingMs ?? 0) - 30_000)).toBeLessThan(5000)
    expect(names()).toEqual([basename(path)])
  })

  test('is removed after a minute of our own clock where the clock of its disk is ahead', async () => {
    const hand = new HandClock()
    const adopter = new Adopter(directory, { clock: hand })
    const path = putEmpty()
    const tomorrow = Date.now() / 1000 + 86_400
    utimesSync(path, tomorrow, tomorrow)
    expect((await adopter.sweep()).waiting).toEqual([{ path, remainingMs: 60_000 }])
    hand.advance(60_000)
    expect((await adopter.sweep()).removed).toEqual([path])
  })

  test('that is written to meanwhile is not removed', async () => {
    const hand = new HandClock()
    const adopter = new Adopter(directory, { clock: hand })
    const path = putEmpty()
    expect((await adopter.sweep()).waiting).toHaveLength(1)
    writeFileSync(path, samplePlain({ process: currentIdentity() }))
    hand.advance(60_000)
    expect(await adopter.sweep()).toEqual(NOTHING)
    expect(names()).toEqual([basename(path)])
  })

  test('of the process that looks is not touched, however old it is: its disk is full', async () => {
    const path = putEmpty()
    utimesSync(path, 1, 1)
    const [incarnation = ''] = incident(1).split('-')
    expect(await adoptOrphans(directory, { clock, incarnation })).toEqual(NOTHING)
    expect(names()).toEqual([basename(path)])
  })

  test('that a dead process claimed is removed', async () => {
    const path = putEmpty()
    const claim = claimPath(path, ownerTag(deadProcess()))
    renameSync(path, claim)
    expect((await sweep()).removed).toEqual([claim])
    expect(names()).toEqual([])
  })
})
