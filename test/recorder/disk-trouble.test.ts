import { mkdirSync, readFileSync, renameSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Incident } from '../../src/recorder/incident'
import type { Recorder } from '../../src/recorder/recorder'
import { allLines, startProgram } from '../incident/programs'
import { contents, finished, messages, RecorderRig } from './rig'
import { canMount, SmallDisk } from './small-disk'

let rig: RecorderRig
beforeEach(() => {
  rig = new RecorderRig()
})
afterEach(() => rig.end())

/** An incident whose window is open, with an event before and after its trigger. */
function incidentOf(recorder: Recorder): Incident {
  recorder.info('before')
  recorder.error('trigger')
  const incident = recorder.currentIncident
  recorder.info('after')
  if (incident === undefined) throw new Error('there is no incident')
  return incident
}

const ALL = ['before', 'trigger', 'after']

function codes(): string[] {
  return rig.warnings.map(({ code }) => code)
}

describe('a directory that cannot be made', () => {
  beforeEach(() => writeFileSync(rig.directory, 'in the way'))

  test('does not trouble who logs: one warning, counted, all of it kept and written when it can be', async () => {
    const recorder = rig.recorder()
    const incident = incidentOf(recorder)
    expect(incident.path).toBeUndefined()
    recorder.info('more')
    expect(codes()).toEqual(['FLOG_WRITE_FAILED'])
    expect(recorder.stats().incidents).toMatchObject({ recorded: 1, refused: 1, lostEvents: 0 })
    expect(recorder.stats().incidents.unwrittenBytes).toBeGreaterThan(0)

    unlinkSync(rig.directory)
    rig.clock.advance(1000)
    expect(messages(contents(incident))).toEqual([...ALL, 'more'])
    expect(recorder.stats().incidents.unwrittenBytes).toBe(0)
    recorder.info('and more')
    expect(messages(contents(incident)).at(-1)).toBe('and more')
    await recorder.close()
    expect((await finished(incident)).verdict?.state).toBe('whole')
  })

  test('is tried again after the window, without holding up flush()', async () => {
    const recorder = rig.recorder({ reporter: { postTrigger: { events: 1 } } })
    const incident = incidentOf(recorder)
    expect(recorder.currentIncident).toBeUndefined()
    await recorder.flush()
    expect(incident.phase).toBe('opened')
    unlinkSync(rig.directory)
    await recorder.flush()
    expect(messages(await finished(incident))).toEqual(ALL)
    expect(incident.phase).toBe('closed')
  })

  test('does not hold up incidents in the same process that have a place to go', async () => {
    const refused = rig.recorder({ reporter: { postTrigger: { events: 1 } } })
    incidentOf(refused)
    const other = rig.recorder({
      directory: join(rig.root, 'other'),
      reporter: { postTrigger: { events: 1 } },
    })
    expect(messages(await finished(incidentOf(other)))).toEqual(ALL)
  })

  test('is given up by close(), which settles', async () => {
    const recorder = rig.recorder()
    const incident = incidentOf(recorder)
    await recorder.close()
    expect(await incident.closed).toBeUndefined()
    expect(recorder.stats().incidents.unwrittenBytes).toBe(0)
  })

  test('costs no more memory than a limit, whatever happens; what is lost is counted', async () => {
    const recorder = rig.recorder({ reporter: { postTrigger: { events: 1 } } })
    for (let i = 0; i < 40_000; i++) recorder.info('filling {i}', { i, text: 'x'.repeat(60) })
    const incidents: Incident[] = []
    for (let i = 0; i < 30; i++) incidents.push(incidentOf(recorder))
    const { unwrittenBytes, lostEvents } = recorder.stats().incidents
    expect(unwrittenBytes).toBeGreaterThan(8 * 1024 ** 2)
    expect(unwrittenBytes).toBeLessThan(18 * 1024 ** 2)
    expect(lostEvents).toBeGreaterThan(100_000)

    unlinkSync(rig.directory)
    await recorder.flush()
    for (const incident of [incidents[0], incidents.at(-1)]) {
      const file = await finished(incident)
      expect(file.verdict?.state).toBe('whole')
      expect(file.header?.trigger.event.message).toBe('trigger')
      expect(file.trailer?.events.total).toBe(file.events.length)
    }
    expect((await finished(incidents[0])).trailer?.lost).toBe(0)
    expect((await finished(incidents.at(-1))).trailer?.lost).toBeGreaterThan(1000)
  })

  test('is warned of again when it was well in between', async () => {
    const recorder = rig.recorder({ reporter: { postTrigger: { events: 1 } } })
    incidentOf(recorder)
    unlinkSync(rig.directory)
    await recorder.flush()
    rmSync(rig.directory, { recursive: true })
    writeFileSync(rig.directory, 'in the way again')
    incidentOf(recorder)
    expect(codes()).toEqual(['FLOG_WRITE_FAILED', 'FLOG_WRITE_FAILED'])
    unlinkSync(rig.directory)
  })

  test('may be logged by who is warned', () => {
    const recorder = rig.recorder()
    recorder.on('warning', ({ code }) => recorder.error(code))
    const incident = incidentOf(recorder)
    unlinkSync(rig.directory)
    rig.clock.advance(1000)
    expect(messages(contents(incident))).toEqual(['before', 'trigger', 'FLOG_WRITE_FAILED', 'after'])
  })
})

describe('a directory that somebody removes', () => {
  test('while an incident is open loses nothing', async () => {
    const recorder = rig.recorder()
    const incident = incidentOf(recorder)
    rmSync(rig.directory, { recursive: true })
    recorder.info('after that')
    await recorder.close()
    const file = await finished(incident)
    expect(messages(file)).toEqual([...ALL, 'after that'])
    expect(file.verdict?.state).toBe('whole')
  })

  test('while an incident waits to be compressed loses nothing', async () => {
    const recorder = rig.recorder({ reporter: { postTrigger: { events: 1 } } })
    const incident = incidentOf(recorder)
    rmSync(rig.directory, { recursive: true })
    expect(messages(await finished(incident))).toEqual(ALL)
  })

  test('and that cannot be made again is told, and the incident kept', async () => {
    const recorder = rig.recorder({ reporter: { postTrigger: { events: 1 } } })
    const incident = incidentOf(recorder)
    rmSync(rig.directory, { recursive: true })
    writeFileSync(rig.directory, 'in the way')
    await recorder.flush()
    expect(codes()).toEqual(['FLOG_WRITE_FAILED'])
    unlinkSync(rig.directory)
    await recorder.flush()
    expect(messages(await finished(incident))).toEqual(ALL)
  })

  test('makes no difference to the next incident', async () => {
    const recorder = rig.recorder({ reporter: { postTrigger: { events: 1 } } })
    await finished(incidentOf(recorder))
    rmSync(rig.directory, { recursive: true })
    expect(messages(await finished(incidentOf(recorder))).slice(-3)).toEqual(ALL)
  })
})

test('a file that is moved away is left where it is, and the next incident is finished', async () => {
  const recorder = rig.recorder({ reporter: { postTrigger: { events: 1 } } })
  const moved = incidentOf(recorder)
  renameSync(rig.directory, join(rig.root, 'elsewhere'))
  expect(await moved.closed).toBeUndefined()
  expect(codes()).toEqual(['FLOG_FILE_MISSING'])
  expect((await finished(incidentOf(recorder))).verdict?.state).toBe('whole')
})

test('a file that is spoilt is left as it is, and the next incident is finished', async () => {
  const recorder = rig.recorder({ reporter: { postTrigger: { events: 1 } } })
  const spoilt = incidentOf(recorder)
  truncateSync(spoilt.path ?? '', 20)
  expect(await spoilt.closed).toBeUndefined()
  expect(codes()).toHaveLength(1)
  expect((await finished(incidentOf(recorder))).verdict?.state).toBe('whole')
})

const withDisk = canMount() ? describe : describe.skip

withDisk('a disk (skipped where tests may not mount one)', () => {
  let disk: SmallDisk
  afterEach(() => disk.end())

  test('that is full keeps what it has, the rest waits, and follows when there is room', async () => {
    disk = new SmallDisk(rig.directory, '256k')
    const recorder = rig.recorder()
    for (let i = 0; i < 5000; i++) recorder.info('event {i}', { i, text: 'x'.repeat(100) })
    const incident = incidentOf(recorder)
    expect(codes()).toEqual(['FLOG_WRITE_FAILED'])
    expect(rig.warnings[0]?.message).toContain('ENOSPC')
    expect(readFileSync(incident.path ?? '').length).toBeGreaterThan(100_000)
    for (let i = 0; i < 10; i++) recorder.info('still logging')

    disk.remount('size=8m')
    rig.clock.advance(1000)
    const file = contents(incident)
    expect(file.events).toHaveLength(5013)
    expect(file.verdict).toMatchObject({ state: 'open', damage: [] })
    await recorder.close()
    const { verdict, trailer } = await finished(incident)
    expect(verdict?.state).toBe('whole')
    expect(trailer).toMatchObject({ lost: 0, events: { total: 5013 } })
  })

  test('that is full when a copy is to be compressed keeps the plain file until there is room', async () => {
    disk = new SmallDisk(rig.directory, '2m')
    const recorder = rig.recorder({ reporter: { postTrigger: { events: 1 } } })
    for (let i = 0; i < 2000; i++) recorder.info('event {i}', { i, text: 'x'.repeat(100) })
    const incident = incidentOf(recorder)
    expect(() => writeFileSync(join(rig.directory, 'filler'), Buffer.alloc(4 * 1024 ** 2))).toThrow('ENOSPC')
    await recorder.flush()
    expect(codes()).toEqual(['FLOG_WRITE_FAILED'])
    expect(recorder.stats().incidents.unfinished).toBe(1)
    expect(rig.files()).toEqual([expect.stringMatching(/\.incident\.flog$/), 'filler'])
    expect(contents(incident).verdict?.state).toBe('whole')
    unlinkSync(join(rig.directory, 'filler'))
    await recorder.flush()
    expect((await finished(incident)).events).toHaveLength(2003)
    expect(recorder.stats().incidents.unfinished).toBe(0)
    expect(rig.files()).toEqual([expect.stringMatching(/\.gz$/)])
  })

  test('that is read-only for a while loses nothing', async () => {
    disk = new SmallDisk(rig.directory, '4m')
    disk.remount('ro')
    const recorder = rig.recorder()
    const incident = incidentOf(recorder)
    expect(codes()).toEqual(['FLOG_WRITE_FAILED'])
    expect(rig.warnings[0]?.message).toContain('EROFS')
    disk.remount('rw')
    rig.clock.advance(1000)
    expect(messages(contents(incident))).toEqual(ALL)
    await recorder.close()
  })
})

test('a process without file descriptors left goes on, and writes the incident when it has one', async () => {
  mkdirSync(rig.directory)
  const program = startProgram('log-without-descriptors', rig.directory)
  const [line] = await allLines<{ refused: number; state: string; messages: string[]; warnings: string[] }>(
    program,
  )
  expect(line).toEqual({ refused: 1, state: 'whole', messages: ALL, warnings: ['FLOG_WRITE_FAILED'] })
})
