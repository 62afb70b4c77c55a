import { unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FlogError } from '../../../src/base/errors'
import type { ErrorRow } from '../../../src/collector/kernel/event'
import { Kernel } from '../../../src/collector/kernel/kernel'
import { onPartError } from '../../../src/collector/kernel/part-errors'
import { incidentSink, reportRecorder } from '../../../src/collector/parts/incident-sink'
import { ERROR, FATAL, INFO } from '../../../src/event/severity'
import type { Incident } from '../../../src/recorder/incident'
import type { Recorder } from '../../../src/recorder/recorder'
import { createTestRecorder } from '../../../src/testing/recorder'
import { contents, messages, RecorderRig } from '../../recorder/rig'
import { Rig as EngineRig } from '../../specs/dependency-engine/rig'
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

test('a recorder that cannot write the incident says so once, and the error kernel does not make that another incident', async () => {
  const directory = join(rig.root, 'in-the-way')
  writeFileSync(directory, 'no directory')
  const recorder = rig.recorder({ directory })
  const sent: ErrorRow[] = []
  const send = async (batch: readonly ErrorRow[]) => {
    sent.push(...batch)
    return batch.map(({ id }) => id)
  }
  const write = (line: string) => void lines.push(line)
  lines.length = 0
  const kernel = new Kernel({ node: 'collector-1', clock: rig.clock, write, foldMs: 0, forward: { send } })
  kernel.start([incidentSink(recorder)])
  const forget = reportRecorder(recorder, kernel)
  for (let i = 0; i < 20; i++) {
    kernel.report({ part: 'store', error: new Error('disk is full') })
    await turns()
  }
  expect(recorder.stats().incidents).toMatchObject({ recorded: 1, refused: 1, lostEvents: 0 })
  expect(sent.filter(({ part }) => part === 'recorder')).toMatchObject([
    { level: 'warning', error: { code: 'FLOG_WRITE_FAILED' } },
  ])
  unlinkSync(directory)
  rig.clock.advance(1000)
  const incident = contents(recorder.currentIncident)
  expect(incident.events.filter(({ facility }) => facility === 'collector.store')).toHaveLength(20)
  expect(incident.events.filter(({ facility }) => facility === 'collector.recorder')).toEqual([])
  forget()
})

test('a part of the engine that is killed leaves an incident that says what it was at', async () => {
  const recorder = rig.recorder()
  const opened = firstIncident(recorder)
  const policies = [() => ({ action: 'kill', reason: 'poison' }) as const]
  const kernel = new Kernel({ node: 'collector-1', clock: rig.clock, level: 'none', policies })
  kernel.start([incidentSink(recorder)])
  const engine = new EngineRig({ onError: onPartError(kernel, (part) => ({ incident: `of ${part}` })) })
  const indexer = await engine.part('indexer')
  await indexer.fail(new TypeError('no such table'))
  const incident = contents(await opened)
  expect(engine.of('indexer')).toMatchObject({ killed: true })
  expect(incident.events.find(({ facility }) => facility === 'collector.indexer')).toMatchObject({
    severity: FATAL,
    error: { name: 'TypeError', message: 'no such table' },
    fields: { action: 'kill', reason: 'poison', work: { incident: 'of indexer' } },
  })
})
