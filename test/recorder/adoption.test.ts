import { once } from 'node:events'
import { mkdirSync, rmdirSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { incidentId, plainFileName } from '../../src/incident/name'
import { readSummary } from '../../src/incident/summary'
import { processState } from '../../src/recorder/process'
import { kill, startProgram } from '../incident/programs'
import { deadProcess, incident, OPENED_AT, samplePlain } from '../incident/samples'
import { until } from '../remote/support/rig'
import { RecorderRig } from './rig'

let rig: RecorderRig
beforeEach(() => {
  rig = new RecorderRig()
  mkdirSync(rig.directory)
})
afterEach(() => rig.end())

/** Left by a process that died. */
function leave(number: number, closed = false): string {
  const id = incident(number)
  const openedAt = OPENED_AT + number * 1e6
  const plain = samplePlain({ id, openedAt, process: deadProcess(), trailer: closed })
  writeFileSync(join(rig.directory, plainFileName(openedAt, id)), plain)
  return id
}

function allFinished(): boolean {
  return rig.files().every((name) => name.endsWith('.gz'))
}

/** Lets time go on until something is so. */
async function lookAgain(isSo: () => boolean): Promise<void> {
  for (let looks = 0; looks < 2000 && !isSo(); looks++) {
    rig.clock.advance(1000)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  expect(isSo()).toBe(true)
}

test('what a dead process left is finished in the background, and not announced', async () => {
  const id = leave(1)
  const recorder = rig.recorder()
  const told: string[] = []
  recorder.on('incident', ({ phase }) => told.push(phase))
  rig.clock.advance(500)
  await until(allFinished)
  const [name = ''] = rig.files()
  expect(await readSummary(join(rig.directory, name))).toMatchObject({
    id,
    closeReason: 'adopted',
    state: 'finished',
  })
  expect(told).toEqual([])
})

test('the quota counts what was adopted', async () => {
  for (let number = 1; number <= 5; number++) leave(number, true)
  rig.recorder({ retention: { maxIncidents: 2 } })
  rig.clock.advance(500)
  await until(() => rig.files().length === 2 && allFinished())
  expect(rig.files().map((name) => name.includes(incident(4)) || name.includes(incident(5)))).toEqual([
    true,
    true,
  ])
})

test('a real predecessor that was killed inside its window is adopted; one that is alive is not', async () => {
  const [dead, alive] = ['1', '2'].map((number) => startProgram('write-incident', rig.directory, number))
  if (dead === undefined || alive === undefined) throw new Error('no programs')
  try {
    await Promise.all([dead, alive].map((program) => once(program.stdout, 'data')))
    await kill(dead)
    const recorder = rig.recorder()
    rig.clock.advance(500)
    await until(() => rig.files().some((name) => name.endsWith('.gz')))
    await recorder.close()
    expect(rig.files()).toEqual([
      expect.stringMatching(/-1\.incident\.flog\.gz$/),
      expect.stringMatching(/-2\.incident\.flog$/),
    ])
  } finally {
    await kill(alive)
  }
})

test('a file that cannot be told alive from dead is looked at again later', async () => {
  const id = incident(1)
  const process = { ...deadProcess(), bootId: 'another machine' }
  writeFileSync(
    join(rig.directory, plainFileName(OPENED_AT, id)),
    samplePlain({ id, process, trailer: false }),
  )
  rig.recorder()
  for (const ms of [500, 20_000, 20_000, 20_000]) {
    expect(allFinished()).toBe(false)
    const pending = rig.clock.pending
    rig.clock.advance(ms)
    await until(() => rig.clock.pending >= pending || allFinished())
  }
  await until(allFinished)
})

test('a file of no bytes is removed when nobody has written to it for a minute', async () => {
  const path = join(rig.directory, plainFileName(OPENED_AT, incident(1)))
  writeFileSync(path, '')
  utimesSync(path, rig.clock.now() / 1e6, rig.clock.now() / 1e6)
  const recorder = rig.recorder()
  rig.clock.advance(500)
  await lookAgain(() => rig.files().length === 0)
  await recorder.close()
  expect(rig.warnings).toEqual([])
})

test('one of its own, which a full disk leaves so, is not', async () => {
  const recorder = rig.recorder()
  const path = join(rig.directory, plainFileName(OPENED_AT, incidentId(processState().incarnation, 7)))
  writeFileSync(path, '')
  utimesSync(path, 1, 1)
  leave(1)
  rig.clock.pass(120_000)
  rig.clock.advance(500)
  await until(() => rig.files().some((name) => name.endsWith('.gz')))
  await recorder.close()
  expect(rig.files()).toContain(basename(path))
})

test('what the disk refuses to finish now is finished when it takes it', async () => {
  leave(1)
  const inTheWay = join(rig.directory, `${rig.files()[0]}.gz`)
  mkdirSync(inTheWay)
  rig.recorder()
  rig.clock.advance(500)
  await until(() => rig.warnings.length > 0)
  rmdirSync(inTheWay)
  await lookAgain(allFinished)
  expect(rig.warnings.map(({ code }) => code)).toEqual(['FLOG_DIRECTORY_UNUSABLE'])
})

test('a directory that cannot be read is told once, and looked at again', async () => {
  rmdirSync(rig.directory)
  writeFileSync(rig.directory, 'in the way')
  rig.recorder()
  rig.clock.advance(500)
  await until(() => rig.warnings.length > 0)
  unlinkSync(rig.directory)
  mkdirSync(rig.directory)
  leave(1)
  await lookAgain(allFinished)
  expect(rig.warnings.map(({ code }) => code)).toEqual(['FLOG_DIRECTORY_UNUSABLE'])
})

test('a recorder that is closed at once adopts nothing', async () => {
  leave(1)
  await rig.recorder().close()
  rig.clock.advance(60_000)
  expect(allFinished()).toBe(false)
})
