import type { IncidentTrailer } from '../../src/incident/header'
import { contents, finished, marks, messages, RecorderRig } from './rig'

let rig: RecorderRig
beforeEach(() => {
  rig = new RecorderRig()
})
afterEach(() => rig.end())

function only(trailer: IncidentTrailer | undefined) {
  return { reason: trailer?.reason, ...trailer?.events }
}

test('history of all severities and the trigger are in the file when the call returns', () => {
  const recorder = rig.recorder()
  recorder.trace('one')
  recorder.info('two')
  recorder.debug('three')
  recorder.error('four')
  const file = contents(recorder.currentIncident)
  expect(messages(file)).toEqual(['one', 'two', 'three', 'four'])
  expect(marks(file)).toEqual([['four', 'trigger']])
  expect(file.header?.trigger).toMatchObject({ kind: 'event', event: { message: 'four', severity: 17 } })
  expect(file.header?.rings).toHaveLength(6)
})

test('each later event is in the file when its call returns, in order', () => {
  const recorder = rig.recorder()
  recorder.error('trigger')
  for (const message of ['a', 'b', 'c']) {
    recorder.trace(message)
    expect(messages(contents(recorder.currentIncident)).at(-1)).toBe(message)
  }
  expect(messages(contents(recorder.currentIncident))).toEqual(['trigger', 'a', 'b', 'c'])
})

test('100 events end the window', async () => {
  const recorder = rig.recorder()
  recorder.error('trigger')
  const incident = recorder.currentIncident
  for (let i = 0; i < 105; i++) recorder.info('after {i}', { i })
  expect(recorder.currentIncident).toBeUndefined()
  const file = await finished(incident)
  expect(only(file.trailer)).toEqual({ reason: 'events', total: 101, history: 1, after: 100 })
  expect(messages(file).at(-1)).toBe('after 99')
  expect(file.verdict?.state).toBe('whole')
})

test('5 s end the window', async () => {
  const recorder = rig.recorder()
  recorder.error('trigger')
  const incident = recorder.currentIncident
  rig.clock.advance(4999)
  recorder.info('in time')
  rig.clock.advance(1)
  recorder.info('too late')
  const file = await finished(incident)
  expect(only(file.trailer)).toEqual({ reason: 'time', total: 2, history: 1, after: 1 })
})

test('a further trigger is marked in its place and in the trailer, and the window begins anew', async () => {
  const recorder = rig.recorder({ reporter: { postTrigger: { events: 3, ms: 1000 } } })
  recorder.error('first')
  const incident = recorder.currentIncident
  recorder.info('a')
  rig.clock.advance(900)
  recorder.error('second')
  rig.clock.advance(900)
  for (const message of ['b', 'c', 'd', 'e']) recorder.info(message)
  const file = await finished(incident)
  expect(messages(file)).toEqual(['first', 'a', 'second', 'b', 'c', 'd'])
  expect(marks(file)).toEqual([
    ['first', 'trigger'],
    ['second', 'further'],
  ])
  expect(only(file.trailer)).toEqual({ reason: 'events', total: 6, history: 1, after: 5 })
  expect(file.trailer?.furtherTriggers).toMatchObject([{ kind: 'event', reason: expect.any(String) }])
})

test('further triggers extend the window up to the cap of events', async () => {
  const recorder = rig.recorder({ reporter: { postTrigger: { events: 3 }, cap: { events: 5 } } })
  recorder.error('first')
  const incident = recorder.currentIncident
  for (let i = 0; i < 10; i++) recorder.error('further {i}', { i })
  expect(only((await finished(incident)).trailer)).toMatchObject({ reason: 'cap', after: 5 })
})

test('plain events after a further trigger end at the cap of events as well', async () => {
  const recorder = rig.recorder({ reporter: { postTrigger: { events: 3 }, cap: { events: 4 } } })
  recorder.error('first')
  const incident = recorder.currentIncident
  recorder.info('a')
  recorder.error('second')
  for (const message of ['b', 'c', 'd']) recorder.info(message)
  expect(only((await finished(incident)).trailer)).toMatchObject({ reason: 'cap', after: 4 })
})

test('further triggers extend the window up to the cap of time', async () => {
  const recorder = rig.recorder({ reporter: { postTrigger: { ms: 1000 }, cap: { ms: 2500 } } })
  recorder.error('first')
  const incident = recorder.currentIncident
  for (let i = 0; i < 4; i++) {
    rig.clock.advance(800)
    if (recorder.currentIncident !== undefined) recorder.error('further')
  }
  expect(only((await finished(incident)).trailer)).toMatchObject({ reason: 'cap', after: 3 })
})

test('a further trigger does not shorten a window that is longer than the cap', async () => {
  const recorder = rig.recorder({
    reporter: { postTrigger: { ms: 10_000, events: 5 }, cap: { ms: 1000, events: 2 } },
  })
  recorder.error('first')
  const incident = recorder.currentIncident
  rig.clock.advance(2000)
  recorder.error('further')
  expect(recorder.currentIncident).toBe(incident)
  for (let i = 0; i < 9; i++) recorder.info('after')
  expect(only((await finished(incident)).trailer)).toMatchObject({ reason: 'cap', after: 5 })
})

test.each([{ events: 0 }, { ms: 0 }])(
  'without a window (%p) the incident closes at its trigger',
  async (postTrigger) => {
    const recorder = rig.recorder({ reporter: { postTrigger } })
    const incident = recorder.capture('no window')
    expect(recorder.currentIncident).toBeUndefined()
    recorder.info('after')
    expect(only((await finished(incident)).trailer)).toEqual({
      reason: 'no-window',
      total: 1,
      history: 1,
      after: 0,
    })
  },
)

test('a manual capture begins an incident, whose history is written when it returns', () => {
  const recorder = rig.recorder()
  recorder.info('before')
  const incident = recorder.capture('operator asked')
  expect(incident).toBe(recorder.currentIncident)
  const file = contents(incident)
  expect(messages(file)).toEqual(['before', 'incident asked for: operator asked'])
  expect(file.header?.trigger).toMatchObject({ kind: 'manual', reason: 'operator asked' })
})

test('a manual capture in the window is a further trigger of the open incident', () => {
  const recorder = rig.recorder()
  recorder.error('first')
  const incident = recorder.currentIncident
  expect(recorder.capture('me too')).toBe(incident)
  expect(marks(contents(incident))).toEqual([
    ['first', 'trigger'],
    ['incident asked for: me too', 'further'],
  ])
})

test('a trigger longer than the limit of events is whole in header and block, a further one in its block', () => {
  const recorder = rig.recorder()
  const body = 'x'.repeat(100_000)
  recorder.error('long', { body })
  recorder.error('long again', { body })
  const { events, header } = contents(recorder.currentIncident)
  expect(header?.trigger.event.fields).toEqual({ body })
  expect(header?.trigger.event.cut).toBeUndefined()
  expect(events.map(({ fields }) => fields)).toEqual([{ body }, { body }])
})

test('a trigger logged by a getter of another event comes first, and the other one follows', () => {
  const recorder = rig.recorder()
  const fields = {
    get rows() {
      recorder.error('inside')
      return 3
    },
    nested: {
      toJSON: () => {
        recorder.warn('also inside')
        return 'shown'
      },
    },
  }
  recorder.info('outside', fields)
  const { events } = contents(recorder.currentIncident)
  expect(events.map(({ message }) => message)).toEqual(['inside', 'also inside', 'outside'])
  expect(events[2]?.fields).toEqual({ rows: 3, nested: 'shown' })
})

test('a trigger that was stamped earlier stands in its place, and what came after it is in the file', async () => {
  const recorder = rig.recorder()
  recorder.info('before')
  const stamp = recorder.stamp()
  const early = recorder.stamp()
  recorder.info('between')
  recorder.record({ severity: 'error', message: 'trigger', stamp })
  recorder.record({ severity: 'info', message: 'late', stamp: early })
  const incident = recorder.currentIncident
  const file = contents(incident)
  expect(messages(file)).toEqual(['before', 'trigger', 'between', 'late'])
  await recorder.close()
  expect(only((await finished(incident)).trailer)).toMatchObject({ total: 4, history: 2, after: 2 })
})

test('the next incident may begin while the one before it is compressed', async () => {
  const recorder = rig.recorder({ reporter: { postTrigger: { events: 1 } } })
  for (let i = 0; i < 2000; i++) recorder.info('filling {i}', { i, text: 'y'.repeat(200) })
  recorder.error('first')
  const first = recorder.currentIncident
  recorder.info('ends the window')
  recorder.error('second')
  const second = recorder.currentIncident
  expect(second?.id).not.toBe(first?.id)
  recorder.info('ends the window too')
  for (const incident of [first, second]) expect((await finished(incident)).verdict?.state).toBe('whole')
  expect(messages(await finished(second)).slice(-4)).toEqual([
    'first',
    'ends the window',
    'second',
    'ends the window too',
  ])
  expect(rig.files().every((name) => name.endsWith('.gz'))).toBe(true)
})

test('an event is told as opened and closed, with what is then on disk', async () => {
  const recorder = rig.recorder({ reporter: { postTrigger: { events: 1 } } })
  const told: string[] = []
  recorder.on('incident', (incident) => {
    told.push(`${incident.phase} ${incident.path?.endsWith('.gz')} ${incident.summary?.events?.total}`)
  })
  recorder.error('trigger')
  const incident = recorder.currentIncident
  recorder.info('after')
  await incident?.closed
  await recorder.flush()
  expect(told).toEqual(['opened false undefined', 'closed true 2'])
})
