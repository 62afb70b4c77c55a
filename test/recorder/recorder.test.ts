import { join } from 'node:path'
import { SystemClock } from '../../src/base/clock'
import { verifyIncidentFile } from '../../src/incident/verify'
import { createRecorder } from '../../src/recorder/recorder'
import { contents, finished, messages, RecorderRig } from './rig'

let rig: RecorderRig
beforeEach(() => {
  rig = new RecorderRig()
})
afterEach(() => rig.end())

test('nothing is written, and no directory made, until there is an incident', async () => {
  const recorder = rig.recorder()
  for (let i = 0; i < 100; i++) recorder.warn('event {i}', { i })
  await recorder.close()
  expect(() => rig.files()).toThrow('ENOENT')
})

test('the header says where the incident comes from', () => {
  const recorder = rig.recorder({ service: 'shop', version: '1.4.2', versions: { schema: '7' } })
  recorder.error('trigger')
  expect(contents(recorder.currentIncident).header).toMatchObject({
    ...{ type: 'incident', format: '1.0', service: 'shop', version: '1.4.2', pid: process.pid },
    versions: { schema: '7', node: process.versions.node, flog: expect.any(String) },
    incarnation: recorder.origin.incarnation,
  })
})

test('close() ends the window at once and settles when the finished file is in place', async () => {
  const recorder = rig.recorder()
  const told: string[] = []
  recorder.on('incident', ({ phase }) => told.push(phase))
  recorder.error('trigger')
  const incident = recorder.currentIncident
  const closing = recorder.close()
  recorder.info('too late')
  expect(recorder.currentIncident).toBeUndefined()
  await closing
  expect(told).toEqual(['opened', 'closed'])
  const file = contents(incident)
  expect(messages(file)).toEqual(['trigger'])
  expect(file.trailer?.reason).toBe('closed')
  expect(rig.files()).toEqual([expect.stringMatching(/\.gz$/)])
})

test('close() may be called again, and logging afterwards does no harm and begins nothing', async () => {
  const recorder = rig.recorder()
  await Promise.all([recorder.close(), recorder.close()])
  recorder.error('nobody listens')
  expect(recorder.capture('nobody listens')).toBeUndefined()
  await recorder.close()
  expect(recorder.stats().incidents.recorded).toBe(0)
  expect(() => rig.files()).toThrow('ENOENT')
})

test('a closed recorder leaves no listener behind', async () => {
  const before = process.listenerCount('exit')
  const recorders = Array.from({ length: 3 }, () => rig.recorder())
  expect(process.listenerCount('exit')).toBe(before + 1)
  for (const recorder of recorders) await recorder.close()
  expect(process.listenerCount('exit')).toBe(before)
})

test('flush() settles when incidents whose window is over are finished, and waits for no open one', async () => {
  const recorder = rig.recorder({ reporter: { postTrigger: { events: 1 } } })
  recorder.error('first')
  recorder.info('ends it')
  recorder.error('second')
  await recorder.flush()
  expect(rig.files()).toEqual([expect.stringMatching(/\.gz$/), expect.stringMatching(/\.flog$/)])
})

test('a finished incident has a summary, and a file that verifies', async () => {
  const recorder = rig.recorder({ reporter: { postTrigger: { events: 0 } } })
  recorder.info('before')
  const incident = recorder.capture('look')
  const summary = await incident?.closed
  expect(summary).toMatchObject({
    id: incident?.id,
    state: 'finished',
    events: { total: 2, history: 2, after: 0 },
  })
  expect(incident?.summary).toEqual(summary)
  expect((await verifyIncidentFile(incident?.path ?? '')).verdict.state).toBe('whole')
})

test('with `durable` the incident is as whole as without', async () => {
  const recorder = rig.recorder({ reporter: { durable: true, postTrigger: { events: 1 } } })
  recorder.error('trigger')
  const incident = recorder.currentIncident
  recorder.info('after')
  expect((await finished(incident)).verdict?.state).toBe('whole')
})

test.each(['the same directory', 'directories of their own'])(
  'two recorders in one process with %s',
  async (where) => {
    const [a, b] = ['a', 'b'].map((name) => {
      const directory = where === 'the same directory' ? rig.directory : join(rig.root, name)
      return rig.recorder({ service: name, directory, reporter: { postTrigger: { events: 2 } } })
    })
    a?.info('of a')
    b?.info('of b')
    a?.error('a fails')
    b?.error('b fails')
    const incidents = [a?.currentIncident, b?.currentIncident]
    for (const text of ['after', 'after that']) for (const recorder of [a, b]) recorder?.debug(text)
    const [fileOfA, fileOfB] = [await finished(incidents[0]), await finished(incidents[1])]
    expect(messages(fileOfA)).toEqual(['of a', 'a fails', 'after', 'after that'])
    expect(messages(fileOfB)).toEqual(['of b', 'b fails', 'after', 'after that'])
    expect([fileOfA.header?.service, fileOfB.header?.service]).toEqual(['a', 'b'])
    expect(fileOfA.header?.id).not.toBe(fileOfB.header?.id)
    expect(fileOfA.header?.incarnation).toBe(fileOfB.header?.incarnation)
  },
)

test('an incident of one recorder may be logged into another one', () => {
  const central = rig.recorder({ directory: join(rig.root, 'central') })
  const recorder = rig.recorder()
  recorder.on('incident', ({ header }) => central.error('incident in {service}', { service: header.service }))
  for (let i = 0; i < 3000; i++) recorder.info('filling {i}', { i })
  recorder.error('trigger')
  expect(contents(recorder.currentIncident).events).toHaveLength(3001)
  expect(messages(contents(central.currentIncident))).toHaveLength(1)
})

test('a facility with rings of its own takes none of the others room', () => {
  const recorder = rig.recorder({ facilities: { chatty: { info: '64KiB' } }, rings: { info: '64KiB' } })
  recorder.info('kept')
  const chatty = recorder.child({ facility: 'chatty.door' })
  for (let i = 0; i < 5000; i++) chatty.info('opened {i}', { i })
  recorder.error('trigger')
  const file = contents(recorder.currentIncident)
  expect(messages(file)[0]).toBe('kept')
  expect(messages(file).at(-2)).toBe('opened 4999')
  const ring = file.header?.rings.find(({ facility }) => facility === 'chatty')
  expect(ring?.evicted).toBeGreaterThan(1000)
  expect(recorder.stats().rings.find(({ facility }) => facility === 'chatty')?.evicted).toBe(ring?.evicted)
})

test('stats() tell what the rings hold and what became of incidents', () => {
  const recorder = rig.recorder({ limits: { coolDownMs: 1000 }, reporter: { postTrigger: { events: 0 } } })
  recorder.debug('one')
  recorder.error('two')
  recorder.error('three')
  const { rings, incidents, failed } = recorder.stats()
  expect(rings.map(({ severity, events }) => [severity, events])).toEqual([
    ['trace', 0],
    ['debug', 1],
    ['info', 0],
    ['warn', 0],
    ['error', 2],
    ['fatal', 0],
  ])
  expect(incidents).toEqual({
    ...{ recorded: 1, qualifierFailures: 0, unfinished: 1, refused: 0, unwrittenBytes: 0, lostEvents: 0 },
    suppressed: { perHour: 0, perFingerprint: 0, coolDown: 1 },
  })
  expect(failed).toBe(0)
})

test('an event of the largest size fits into the smallest ring', () => {
  const sizes = { trace: '64KiB', debug: '64KiB', info: '64KiB', warn: '64KiB' }
  const recorder = rig.recorder({ rings: sizes, eventBytes: '31KiB' })
  recorder.info('large', { text: 'x'.repeat(100_000) })
  recorder.error('trigger')
  expect(messages(contents(recorder.currentIncident))).toEqual(['large', 'trigger'])
})

test('a warning that nobody listens to is a warning of the process, once', async () => {
  const emitWarning = jest.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const recorder = createRecorder({
    directory: rig.directory,
    qualifier: () => {
      throw new Error('broken')
    },
  })
  recorder.error('one')
  recorder.error('two')
  await recorder.close()
  const options = { type: 'FlogWarning', code: 'FLOG_QUALIFIER_FAILED' }
  expect(emitWarning.mock.calls).toEqual([[expect.stringContaining('broken'), options]])
  emitWarning.mockRestore()
})

test('a step of the wall clock is an event', async () => {
  let wall = Date.now()
  const clock = new SystemClock(new Float64Array(1), () => wall)
  const recorder = rig.recorder({ qualifier: ({ facility }) => facility === 'flog.clock' }, clock)
  recorder.info('before')
  wall += 3_600_000
  await new Promise((resolve) => setTimeout(resolve, 1005))
  recorder.info('after')
  await Promise.resolve()
  expect(recorder.currentIncident?.trigger.event).toMatchObject({ facility: 'flog.clock', severity: 13 })
  const ms = Number(recorder.currentIncident?.trigger.event.fields['ms'])
  expect(Math.abs(ms - 3_600_000)).toBeLessThan(60_000)
})
