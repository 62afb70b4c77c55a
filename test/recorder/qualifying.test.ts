import type { LogEvent } from '../../src/event/event'
import type { Recorder } from '../../src/recorder/recorder'
import { contents, finished, marks, messages, RecorderRig, UNLIMITED } from './rig'

let rig: RecorderRig
beforeEach(() => {
  rig = new RecorderRig()
})
afterEach(() => rig.end())

/** Seqs of all events of the file: none twice, none out of order. */
function expectEachOnce(seqs: readonly number[]): void {
  expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b))
}

test('what a qualifier logs is recorded behind its event, in the incident that this begins', () => {
  const recorder: Recorder = rig.recorder({
    qualifier: (event) => {
      recorder.debug('looking at {seq}', { seq: event.seq })
      recorder.error('not asked about')
      return event.severity >= 17
    },
  })
  recorder.info('before')
  recorder.error('trigger')
  recorder.info('after')
  const file = contents(recorder.currentIncident)
  const looking = 'looking at'
  expect(messages(file).map((text) => (text.startsWith(looking) ? looking : text))).toEqual(
    ['before', 'trigger', 'after'].flatMap((text) => [text, looking, 'not asked about']),
  )
  expectEachOnce(file.events.map(({ seq }) => seq))
  expect(marks(file)).toEqual([['trigger', 'trigger']])
})

test('a capture asked for by a qualifier begins an incident of its own where its event does not', () => {
  let asked = false
  const recorder: Recorder = rig.recorder({
    qualifier: () => {
      if (!asked) recorder.capture('from inside')
      asked = true
      return false
    },
  })
  recorder.info('looked at')
  const file = contents(recorder.currentIncident)
  expect(messages(file)).toEqual(['looked at', 'incident asked for: from inside'])
  expect(file.header?.trigger.kind).toBe('manual')
})

test('a capture asked for by a qualifier is a further trigger of the incident that its event begins', () => {
  const recorder: Recorder = rig.recorder({
    qualifier: (event) => {
      if (event.message === 'trigger') recorder.capture('from inside')
      return event.message === 'trigger'
    },
  })
  recorder.info('trigger')
  expect(marks(contents(recorder.currentIncident))).toEqual([
    ['trigger', 'trigger'],
    ['incident asked for: from inside', 'further'],
  ])
})

test('events that an incident listener logs are in the window, in order, and begin nothing', async () => {
  const recorder = rig.recorder({ reporter: { postTrigger: { events: 3 } } })
  recorder.on('incident', ({ phase }) => recorder.error('incident {phase}', { phase }))
  recorder.error('trigger')
  const incident = recorder.currentIncident
  recorder.info('a')
  recorder.info('b')
  const file = await finished(incident)
  await recorder.flush()
  expect(messages(file)).toEqual(['trigger', 'incident opened', 'a', 'b'])
  expect(marks(file)).toEqual([['trigger', 'trigger']])
  expect(recorder.stats().incidents.recorded).toBe(1)
})

test('a capture by an incident listener marks the incident that is open', () => {
  const recorder = rig.recorder()
  const returned: unknown[] = []
  recorder.on('incident', () => returned.push(recorder.capture('me too')))
  recorder.error('trigger')
  expect(returned).toEqual([recorder.currentIncident])
  expect(marks(contents(recorder.currentIncident)).map(([, mark]) => mark)).toEqual(['trigger', 'further'])
})

test('a listener that throws breaks nothing, keeps no other from being told, and is warned of once', () => {
  const recorder = rig.recorder()
  const told: string[] = []
  recorder.on('incident', () => {
    throw new Error('listener broke')
  })
  recorder.on('incident', ({ phase }) => told.push(phase))
  recorder.error('trigger')
  expect(told).toEqual(['opened'])
  expect(rig.warnings.map(({ code }) => code)).toEqual(['FLOG_LISTENER_FAILED'])
})

test('a qualifier that throws each time breaks nothing: counted, warned of once, events recorded', () => {
  const recorder = rig.recorder({
    qualifier: (event: LogEvent) => {
      throw new Error(`cannot judge ${event.seq}`)
    },
  })
  for (let i = 0; i < 5; i++) recorder.error('event {i}', { i })
  expect(recorder.stats().incidents).toMatchObject({ recorded: 0, qualifierFailures: 5 })
  expect(rig.warnings.map(({ code }) => code)).toEqual(['FLOG_QUALIFIER_FAILED'])
  expect(messages(contents(recorder.capture('look')))).toHaveLength(6)
})

test.each<[string, unknown]>([
  ['a promise', Promise.resolve(true)],
  ['a number', 1],
  ['a text', 'yes'],
  ['an object without a reason', {}],
  ['a reason that is no text', { reason: 5 }],
  [
    'a reason that throws',
    {
      get reason() {
        throw new Error('no reason')
      },
    },
  ],
])('a qualifier that returns %s gives no answer, and is told so', (_, answer) => {
  const recorder = rig.recorder({ qualifier: () => answer as boolean })
  recorder.error('event')
  expect(recorder.currentIncident).toBeUndefined()
  expect(recorder.stats().incidents.qualifierFailures).toBe(1)
  expect(rig.warnings.map(({ code }) => code)).toEqual(['FLOG_QUALIFIER_FAILED'])
})

test.each([undefined, null, false])('a qualifier that returns %p does not qualify', (answer) => {
  const recorder = rig.recorder({ qualifier: () => answer as boolean })
  recorder.error('event')
  expect(recorder.currentIncident).toBeUndefined()
  expect(recorder.stats().incidents.qualifierFailures).toBe(0)
})

test('the reason and the fingerprint of a qualifier are in the header, and bounded', () => {
  const fingerprint = 'same-trouble'
  const recorder = rig.recorder({ qualifier: () => ({ reason: 'r'.repeat(1e7), fingerprint }) })
  recorder.info('event')
  const { trigger } = contents(recorder.currentIncident).header ?? {}
  expect(trigger).toMatchObject({ fingerprint, reason: 'r'.repeat(1000) })
})

test('what a qualifier sees is redacted, and so is the reason of a capture', () => {
  const seen: unknown[] = []
  const recorder = rig.recorder({
    qualifier: ({ fields }) => {
      seen.push(fields)
      return false
    },
  })
  recorder.info('login', { user: 'ann', password: 'hush' })
  expect(seen).toEqual([{ user: 'ann', password: '[redacted]' }])
  const { header, events } = contents(recorder.capture('postgres://app:hush@db is down'))
  expect(JSON.stringify([header, events])).not.toContain('hush')
})

test('a reason of whatever kind is taken', () => {
  const recorder = rig.recorder({ reporter: { postTrigger: { events: 0 } } })
  const hostile = {
    toString() {
      throw new Error('no')
    },
  }
  for (const reason of [undefined, 7, Symbol('why'), hostile])
    expect(recorder.capture(reason as never)).toBeDefined()
})

test('what limits hold back is counted in the next header and in the stats', async () => {
  const recorder = rig.recorder({
    limits: { coolDownMs: 1000, perFingerprintPerHour: 2, perHour: 3 },
    reporter: { postTrigger: { events: 0 } },
  })
  let opened = 0
  recorder.on('incident', ({ phase }) => {
    if (phase === 'opened') opened++
  })
  recorder.error('a')
  recorder.error('held back: cool-down')
  rig.clock.advance(1000)
  recorder.error('a')
  rig.clock.advance(1000)
  recorder.error('a')
  const third = recorder.capture('limits of one trouble are not for people')
  rig.clock.advance(1000)
  recorder.error('b')
  expect(opened).toBe(3)
  expect(contents(third).header?.suppressed).toEqual({ coolDown: 0, perFingerprint: 1, perHour: 0 })
  expect(recorder.capture('too many')).toBeUndefined()
  expect(recorder.stats().incidents.suppressed).toEqual({ coolDown: 1, perFingerprint: 1, perHour: 2 })
})

test('the oldest finished incidents go when the directory holds more than it may', async () => {
  const recorder = rig.recorder({
    limits: UNLIMITED,
    retention: { maxIncidents: 3 },
    reporter: { postTrigger: { events: 0 } },
  })
  const ids: string[] = []
  for (let i = 0; i < 5; i++) {
    const incident = recorder.capture(`number ${i}`)
    ids.push(incident?.id ?? '')
    await incident?.closed
    rig.clock.advance(10)
  }
  expect(rig.files()).toHaveLength(3)
  for (const id of ids.slice(-3)) expect(rig.files().some((name) => name.includes(id))).toBe(true)
})

test('a listener may end the recorder', async () => {
  const recorder = rig.recorder()
  let closing: Promise<void> | undefined
  recorder.on('incident', () => {
    recorder.fatal('giving up')
    closing ??= recorder.close()
  })
  recorder.error('trigger')
  expect(recorder.currentIncident).toBeUndefined()
  await closing
  expect(rig.files()).toEqual([expect.stringMatching(/\.gz$/)])
})
