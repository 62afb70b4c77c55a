import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { currentIdentity, ownerTag } from '../../../src/base/identity'
import { Adopter, type AdoptionReport, type AdoptOptions } from '../../../src/incident/adopt'
import {
  blackBoxClaimPath,
  blackBoxTemporaryPath,
  parseBlackBoxName,
} from '../../../src/incident/black-box/name'
import { IncidentDirectory } from '../../../src/incident/directory'
import { createRecorder } from '../../../src/recorder/recorder'
import { flog, jsonLines } from '../../tools/flog/command'
import { HandClock } from '../hand-clock'
import { kill, lines, type Program, startProgram } from '../programs'
import { deadProcess, incident, OPENED_AT, temporaryDirectory, writeSample } from '../samples'
import { App, clock, originOf, read } from './rig'

const root = temporaryDirectory()
const NOTHING: AdoptionReport = { adopted: [], removed: [], waiting: [], leftAlone: [] }
const ELSEWHERE = { ...deadProcess(), bootId: 'another boot' }

function adopter(options: Partial<AdoptOptions> = {}): Adopter {
  return new Adopter(new IncidentDirectory({ path: root.path }), { clock, ...options })
}

function names(): string[] {
  return readdirSync(root.path).sort()
}

/** The black box of a process, which has logged three events. @returns its path */
function put(number = 1, process = deadProcess(), directory = root.path): string {
  const app = new App()
  for (let i = 0; i < 3; i++) app.log()
  const box = app.box(directory, { id: incident(number), origin: originOf(process) })
  box.poll()
  return box.path
}

/** Starts a program that logs. @returns it, its black box, and a way to kill it that tells how much was copied */
async function started(
  directory: string,
): Promise<{ program: Program; path: string; kill(): Promise<number> }> {
  const program = startProgram('keep-black-box', directory)
  const output = lines<string | number>(program)
  const { value: path } = await output.next()
  let copied = 0
  const reading = (async () => {
    for await (const line of output) copied = line as number
  })()
  return {
    program,
    path: path as string,
    async kill() {
      await kill(program)
      await reading
      return copied
    },
  }
}

describe('a killed process', () => {
  test('leaves all that was copied, and it becomes an incident, once', async () => {
    const app = await started(root.path)
    await pause(200)
    expect(await adopter().sweep()).toEqual(NOTHING)
    const copied = await app.kill()
    expect(copied).toBeGreaterThan(100)
    const { adopted, ...rest } = await adopter({
      exitOf: ({ pid }) => (pid === app.program.pid ? { signal: 'SIGKILL' } : undefined),
    }).sweep()
    expect(rest).toEqual({ removed: [], waiting: [], leftAlone: [] })
    expect(adopted).toMatchObject([
      {
        summary: {
          state: 'finished',
          pid: app.program.pid,
          trigger: { kind: 'died', reason: 'ended by SIGKILL' },
        },
      },
    ])
    const { events, state } = await read(adopted[0]?.path ?? '')
    expect(state).toBe('whole')
    const seqs = events.map(({ seq }) => seq)
    expect(seqs).toEqual(seqs.map((_, i) => (seqs[0] as number) + i))
    expect(seqs.at(-2)).toBeGreaterThanOrEqual(copied - 1)
    expect(names()).toEqual([basename(adopted[0]?.path ?? '')])
    expect(await adopter().sweep()).toEqual(NOTHING)
  })

  test('is no reason to touch what a living one keeps in the same directory', async () => {
    const [one, other] = await Promise.all([started(root.path), started(root.path)])
    await pause(100)
    await one.kill()
    const { adopted } = await adopter().sweep()
    expect(adopted.map(({ summary }) => summary.pid)).toEqual([one.program.pid])
    expect(existsSync(other.path)).toBe(true)
    other.program.kill('SIGSTOP')
    expect(await adopter().sweep()).toEqual(NOTHING)
    const before = readFileSync(other.path)
    other.program.kill('SIGCONT')
    while (readFileSync(other.path).equals(before)) await pause(10)
    await other.kill()
    expect((await adopter().sweep()).adopted.map(({ summary }) => summary.pid)).toEqual([other.program.pid])
    expect(names()).toHaveLength(2)
  })

  test('may have kept its black box in another directory', async () => {
    const elsewhere = join(root.path, 'memory')
    mkdirSync(elsewhere)
    const path = put(1, deadProcess(), elsewhere)
    expect(await adopter().sweep()).toEqual(NOTHING)
    const { adopted } = await adopter({ blackBoxDirectory: elsewhere }).sweep()
    expect(adopted.map(({ summary }) => summary.id)).toEqual([incident(1)])
    expect(existsSync(path)).toBe(false)
    expect(names().filter((name) => name.endsWith('.gz'))).toHaveLength(1)
  })

  test('leaves its open incident too; both are finished, and belong together', async () => {
    put(1)
    writeSample(root.path, { id: incident(2), process: deadProcess(), trailer: false })
    const { adopted } = await adopter().sweep()
    expect(adopted.map(({ summary }) => summary.id)).toEqual([incident(1), incident(2)])
    expect((await read(adopted[0]?.path ?? '')).header.relatedTo).toBe(incident(2))
    expect(names()).toHaveLength(2)
  })
})

describe('somebody who adopted, and died over it', () => {
  test('before it made the incident: the next one does', async () => {
    const path = put()
    const name = parseBlackBoxName(basename(path))
    if (name === undefined) throw new Error('not a name')
    const inUse = blackBoxClaimPath(root.path, name, ownerTag(currentIdentity()))
    renameSync(path, inUse)
    expect(await adopter().sweep()).toEqual(NOTHING)
    renameSync(inUse, blackBoxClaimPath(root.path, name, ownerTag(deadProcess())))
    expect((await adopter().sweep()).adopted).toHaveLength(1)
    expect(names()).toHaveLength(1)
  })

  test('after it: the incident stays as it is, the black box goes', async () => {
    const path = put()
    const copy = readFileSync(path)
    const { adopted } = await adopter().sweep()
    const made = readFileSync(adopted[0]?.path ?? '')
    writeFileSync(path, copy)
    expect(await adopter().sweep()).toEqual({ ...NOTHING, removed: [path] })
    expect(readFileSync(adopted[0]?.path ?? '').equals(made)).toBe(true)
    expect(names()).toHaveLength(1)
  })

  test('two at once make one incident', async () => {
    put()
    const reports = await Promise.all([adopter().sweep(), adopter().sweep()])
    expect(reports.flatMap(({ adopted }) => adopted)).toHaveLength(1)
    expect(reports.flatMap(({ leftAlone }) => leftAlone)).toEqual([])
    expect(names()).toHaveLength(1)
  })

  test('half-made files of the dead are removed, those of the living are not', async () => {
    const [dead, living] = [deadProcess(), currentIdentity()].map((process) =>
      blackBoxTemporaryPath(root.path, OPENED_AT, incident(1), ownerTag(process), '00000000'),
    ) as [string, string]
    writeFileSync(dead, 'half')
    writeFileSync(living, 'half')
    expect(await adopter().sweep()).toEqual({ ...NOTHING, removed: [dead] })
    expect(names()).toEqual([basename(living)])
  })
})

describe('a process that cannot be asked for', () => {
  test('is dead when its superblock has not changed for a minute of our own clock', async () => {
    const hand = new HandClock()
    const looking = adopter({ clock: hand })
    const app = new App()
    const box = app.box(root.path, { origin: originOf(ELSEWHERE) })
    box.poll()
    const path = box.path
    expect((await looking.sweep()).waiting).toEqual([{ path, remainingMs: 60_000 }])
    hand.advance(59_999)
    expect((await looking.sweep()).waiting).toEqual([{ path, remainingMs: 1 }])
    app.log()
    box.poll()
    hand.advance(1)
    expect((await looking.sweep()).waiting).toEqual([{ path, remainingMs: 60_000 }])
    hand.advance(60_000)
    expect((await looking.sweep()).adopted).toMatchObject([{ summary: { events: { total: 2 } } }])
    expect(names()).toHaveLength(1)
  })

  test('nor whose file is empty: it is removed after that time, as it holds nothing', async () => {
    const hand = new HandClock()
    const looking = adopter({ clock: hand })
    const path = put()
    writeFileSync(path, '')
    expect((await looking.sweep()).waiting).toEqual([{ path, remainingMs: 60_000 }])
    hand.advance(60_000)
    expect(await looking.sweep()).toEqual({ ...NOTHING, removed: [path] })
    expect(names()).toEqual([])
  })
})

test('a recorder that starts in the directory adopts it', async () => {
  put()
  const recorder = createRecorder({ directory: root.path })
  while (!names().some((name) => name.endsWith('.gz'))) await pause(5)
  while (names().length > 1) await pause(5)
  await recorder.close()
  expect((await new IncidentDirectory({ path: root.path }).list()).map(({ id }) => id)).toEqual([incident(1)])
})

test('what nothing can be made of is told once, and stays', async () => {
  const whole = readFileSync(put(1))
  const damaged = put(2)
  const newer = put(3)
  const endless = put(4)
  writeFileSync(damaged, Buffer.from(whole).fill(1, 100, 200))
  writeFileSync(newer, Buffer.from(whole).fill('2', 15, 16, 'latin1'))
  writeFileSync(endless, whole.subarray(0, 50))
  const looking = adopter()
  const { adopted, leftAlone } = await looking.sweep()
  expect(adopted).toHaveLength(1)
  expect(leftAlone.map(({ path, error }) => [path, error.code])).toEqual(
    expect.arrayContaining([
      [damaged, 'FLOG_FILE_CORRUPT'],
      [newer, 'FLOG_FILE_NEWER'],
      [endless, 'FLOG_FILE_TRUNCATED'],
    ]),
  )
  expect(await looking.sweep()).toEqual(NOTHING)
  expect(names()).toHaveLength(4)
})

describe('the command', () => {
  test('flog recover makes incidents of black boxes, and does nothing the second time', async () => {
    const elsewhere = join(root.path, 'memory')
    mkdirSync(elsewhere)
    put(1)
    put(2, deadProcess(), elsewhere)
    const first = await flog(['recover', root.path, '--black-box', elsewhere, '--json'])
    expect(first.code).toBe(0)
    expect(jsonLines(first.stdout)).toEqual([
      expect.objectContaining({ id: incident(1), trigger: expect.objectContaining({ kind: 'died' }) }),
      expect.objectContaining({ id: incident(2), state: 'finished' }),
    ])
    expect(await flog(['recover', root.path, '--black-box', elsewhere])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('nothing to recover'),
    })
    expect((await flog(['recover', root.path, '--black-box', join(root.path, 'nowhere')])).code).toBe(1)
  })

  test.each(['verify', 'dump'])('flog %s of one says what to do with it', async (verb) => {
    const { code, stdout, stderr } = await flog([verb, put()])
    expect(code).toBe(1)
    expect(stdout + stderr).toContain('flog recover DIR')
  })

  test('flog recover touches none whose process lives', async () => {
    const path = put(1, currentIdentity())
    const child = await started(root.path)
    expect((await flog(['recover', root.path])).stderr).toContain('nothing to recover')
    expect([existsSync(path), existsSync(child.path)]).toEqual([true, true])
    await child.kill()
  })
})
