import { FlogError } from '../../../src/base/errors'
import { Kernel } from '../../../src/collector/kernel/kernel'
import { incidentSink, reportRecorder } from '../../../src/collector/parts/incident-sink'
import { ERROR, FATAL, INFO } from '../../../src/event/severity'
import type { Incident } from '../../../src/recorder/incident'
import type { Recorder } from '../../../src/recorder/recorder'
import { createTestRecorder } from '../../../src/testing/recorder'
import { contents, messages, RecorderRig } from '../../recorder/rig'
import { turns } from '../../specs/error-kernel/rig'

const rig = new RecorderRig()
const lines: string[] = []

afterAll(() => rig.end())

function newKernel(recorder: Parameters<typeof incidentSink>[0]): Kernel {
  lines.length = 0
  const kernel = new Kernel({ node: 'collector-1', clock: rig.clock, write: (line) => void lines.push(line) })
  kernel.start([incidentSink(recorder)])
  return kernel
}

function firstIncident(recorder: Recorder): Promise<Incident> {
  return new Promise((resolve) => recorder.on('incident', resolve))
}

test('an error of a part leaves an incident about the collector, with what led up to it', async () => {
  const recorder = rig.recorder()
  const kernel = newKernel(recorder)
  const opened = firstIncident(recorder)
  kernel.report({ part: 'store', kind: 'info', error: 'connected' })
  kernel.report({ part: 'indexer', level: 'warning', error: new Error('slow') })
  await turns()
  expect(recorder.stats().incidents.recorded).toBe(0)
  const error = Object.assign(new TypeError('no such table'), { code: '42P01' })
  kernel.report({ part: 'indexer', error, work: { incident: 'i-1', password: 'hunter2' } })
  const incident = contents(await opened)
  expect(messages(incident)).toEqual(expect.arrayContaining(['connected', 'slow', 'no such table']))
  const trigger = incident.events.find(({ message }) => message === 'no such table')
  expect(trigger).toMatchObject({
    facility: 'collector.indexer',
    severity: ERROR + 2,
    fields: { kind: 'error', work: { incident: 'i-1', password: '[redacted]' } },
    error: { name: 'TypeError', code: '42P01' },
  })
  expect(trigger?.error?.stack).toContain('incident-sink.test')
})

test('levels keep their place: a warning begins no incident, a part that is left down is fatal', async () => {
  const recorder = createTestRecorder()
  const kernel = newKernel(recorder)
  kernel.report({ part: 'p', level: 'debug', error: 'd' })
  kernel.report({ part: 'p', level: 'info', error: 'i' })
  kernel.report({ part: 'p', level: 'warning', error: 'w' })
  await turns()
  expect(recorder.incidents).toEqual([])
  kernel.report({ part: 'p', error: 'e' })
  void kernel.ask({ part: 'p', error: 'k' })
  await kernel.stop({ flushMs: 10 })
  await turns()
  expect(recorder.recorded.map(({ severity }) => severity)).toEqual([5, INFO, 15, ERROR + 2, FATAL])
  expect(recorder.recorded.at(-1)?.fields).toMatchObject({ action: 'kill', reason: 'shutdown' })
})

test('what the recorder warns of is shown, and does not come back to it', async () => {
  const recorder = rig.recorder()
  const kernel = newKernel(recorder)
  const forget = reportRecorder(recorder, kernel)
  recorder.on('incident', () => {
    throw new Error('a listener that throws, so that the recorder warns')
  })
  const before = recorder.stats().rings.reduce((sum, { events }) => sum + events, 0)
  recorder.capture('now')
  await turns()
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { part: 'recorder', level: 'warning', error: { code: 'FLOG_LISTENER_FAILED' } },
  ])
  const after = recorder.stats().rings.reduce((sum, { events }) => sum + events, 0)
  expect(after - before).toBe(1)
  forget()
  kernel.report({ part: 'recorder', error: new FlogError('FLOG_WRITE_FAILED', 'disk is full') })
  await turns()
  expect(recorder.stats().incidents.recorded).toBe(1)
})
