import type { PlainObject } from '../../src/event/event'
import type { PostTriggerOptions, TriggerRecord } from '../../src/incident/header'
import { IncidentReporter } from '../../src/incident/reporter'
import type { Recorder } from '../../src/recorder/recorder'
import type { RingHandle } from '../../src/ring/layout'
import { contents, finished, messages, RecorderRig } from './rig'

let rig: RecorderRig
beforeEach(() => {
  rig = new RecorderRig()
})
afterEach(() => rig.end())

class Special extends IncidentReporter {
  constructor() {
    super({ postTrigger: { events: 7, ms: 700 } })
  }

  override postTrigger(trigger: TriggerRecord): PostTriggerOptions {
    return trigger.kind === 'manual' ? { events: 1, ms: 10 } : super.postTrigger(trigger)
  }

  override header({ event }: TriggerRecord): PlainObject {
    return { region: 'north', about: event.message, password: 'hush' }
  }

  override includes(ring: RingHandle): boolean {
    return ring.severity !== 'trace'
  }
}

test('a subclass chooses window, additions to the header, and rings', () => {
  const recorder = rig.recorder({ reporter: Special })
  recorder.trace('left out')
  recorder.info('kept')
  const { header, ...file } = contents(recorder.capture('why'))
  expect(messages(file)).toEqual(['kept', 'incident asked for: why'])
  expect(header?.postTrigger).toEqual({ events: 1, ms: 10 })
  expect(header?.rings.map(({ severity }) => severity)).not.toContain('trace')
  expect(header?.extra).toEqual({
    region: 'north',
    about: 'incident asked for: {reason}',
    password: '[redacted]',
  })
})

test('what a subclass leaves to its parent is as its options say', () => {
  const recorder = rig.recorder({ reporter: new Special() })
  recorder.error('trigger')
  expect(recorder.currentIncident?.header.postTrigger).toEqual({ events: 7, ms: 700 })
})

class Broken extends IncidentReporter {
  override postTrigger(): PostTriggerOptions {
    throw new Error('broken window')
  }

  override header(): PlainObject {
    throw new Error('broken header')
  }

  override includes(): boolean {
    throw new Error('broken choice')
  }
}

test('overrides that throw are replaced by what the options say, with one warning', () => {
  const recorder = rig.recorder({ reporter: new Broken({ postTrigger: { events: 3, ms: 30 } }) })
  recorder.trace('before')
  recorder.error('trigger')
  const { header, ...file } = contents(recorder.currentIncident)
  expect(messages(file)).toEqual(['before', 'trigger'])
  expect(header?.postTrigger).toEqual({ events: 3, ms: 30 })
  expect(header?.extra).toBeUndefined()
  expect(rig.warnings.map(({ code }) => code)).toEqual(['FLOG_REPORTER_FAILED'])
})

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['no number', { events: 'many', ms: 5 }],
  ['no end', { events: 5, ms: Infinity }],
  ['less than nothing', { events: -1, ms: 5 }],
])('a window of %s is replaced by what the options say', (_, window) => {
  class Odd extends IncidentReporter {
    override postTrigger(): PostTriggerOptions {
      return window as PostTriggerOptions
    }
  }
  const recorder = rig.recorder({ reporter: Odd })
  recorder.error('trigger')
  expect(recorder.currentIncident?.header.postTrigger).toEqual({ events: 100, ms: 5000 })
  expect(rig.warnings.map(({ code }) => code)).toEqual(['FLOG_REPORTER_FAILED'])
})

test('whatever a subclass adds to the header, the file can be read', async () => {
  const circular: Record<string, unknown> = { big: 'x'.repeat(1e6), id: 7n, at: new Date(0), f: () => 1 }
  circular['self'] = circular
  class Odd extends IncidentReporter {
    override header(): PlainObject {
      return circular as PlainObject
    }
  }
  const recorder = rig.recorder({ reporter: Odd })
  recorder.error('trigger')
  const incident = recorder.currentIncident
  await recorder.close()
  const file = await finished(incident)
  expect(file.verdict?.state).toBe('whole')
  expect(JSON.stringify(file.header).length).toBeLessThan(100_000)
})

test('what an override logs comes after the trigger, once', () => {
  class Chatty extends IncidentReporter {
    override header(): undefined {
      recorder.error('in header()')
      recorder.capture('in header()')
      return undefined
    }

    override includes(ring: RingHandle): boolean {
      if (ring.severity === 'info') recorder.trace('in includes()')
      return true
    }
  }
  const recorder: Recorder = rig.recorder({ reporter: Chatty })
  recorder.info('before')
  recorder.error('trigger')
  recorder.info('after')
  expect(messages(contents(recorder.currentIncident))).toEqual([
    'before',
    'trigger',
    'in includes()',
    'in header()',
    'incident asked for: in header()',
    'after',
  ])
  expect(recorder.stats().incidents.recorded).toBe(1)
})

test('the newest bytes of history go into the file, of all severities together', () => {
  const recorder = rig.recorder({ reporter: { historyBytesAtTrigger: '4KiB' } })
  for (let i = 0; i < 500; i++) recorder.log((i % 4) * 4 + 1, 'event {i}', { i })
  recorder.error('trigger')
  const texts = messages(contents(recorder.currentIncident))
  expect(texts.length).toBeGreaterThan(20)
  expect(texts.length).toBeLessThan(120)
  const first = 500 - (texts.length - 1)
  expect(texts).toEqual([
    ...Array.from({ length: texts.length - 1 }, (_, i) => `event ${first + i}`),
    'trigger',
  ])
})

test('a trigger in a ring that is left out, or too long for the history, is in the file all the same', () => {
  class NoErrors extends IncidentReporter {
    override includes({ severity }: RingHandle): boolean {
      return severity !== 'error'
    }
  }
  const recorder = rig.recorder({ reporter: new NoErrors({ historyBytesAtTrigger: 100 }) })
  recorder.info('before', { text: 'z'.repeat(200) })
  recorder.error('trigger')
  recorder.info('after')
  expect(messages(contents(recorder.currentIncident))).toEqual(['trigger', 'after'])
})
