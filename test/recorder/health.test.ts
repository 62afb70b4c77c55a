import { HEALTH_RING_BYTES } from '../../src/base/limits'
import { DEBUG } from '../../src/event/severity'
import { messageText } from '../../src/event/template'
import { HEALTH_SEVERITY, type HealthSample, HealthSampler } from '../../src/recorder/health'
import type { Recorder } from '../../src/recorder/recorder'
import { HEALTH_FACILITY } from '../../src/recorder/ring-options'
import { FakeClock } from '../remote/support/fake-clock'
import { contents, RecorderRig } from './rig'

let rig: RecorderRig
let sampler: HealthSampler | undefined
beforeEach(() => {
  rig = new RecorderRig()
})
afterEach(async () => {
  jest.restoreAllMocks()
  sampler?.close()
  await rig.end()
})

const delay = { maxMs: 12.3456, meanMs: 1.2 }

/** The samples of a clock that is turned by hand. */
function samples(everyMs?: number): { clock: FakeClock; fields: HealthSample[] } {
  const clock = new FakeClock()
  const fields: HealthSample[] = []
  sampler = new HealthSampler({
    clock,
    pulse: { takeDelay: () => delay },
    record: (_severity, _message, _facility, sample) => fields.push(sample),
    ...(everyMs === undefined ? {} : { everyMs }),
  })
  return { clock, fields }
}

function recordHealth(recorder: Recorder): void {
  sampler = new HealthSampler({
    clock: rig.clock,
    pulse: { takeDelay: () => delay },
    record: (severity, message, facility, fields) =>
      recorder.events.record(severity, message, facility, fields, undefined),
  })
}

test('a sample tells the delay of the loop, memory and processor time', () => {
  const { clock, fields } = samples()
  const until = performance.now() + 30
  while (performance.now() < until);
  const before = process.memoryUsage()
  clock.advance(1000)
  const [sample] = fields as [HealthSample]
  expect(sample).toMatchObject({ delayMaxMs: 12.35, delayMeanMs: 1.2 })
  for (const name of ['heapUsed', 'heapTotal', 'rss'] as const) {
    // A collection may come in between
    expect(sample[name]).toBeGreaterThan(before[name] / 4)
    expect(sample[name]).toBeLessThan(before[name] * 4)
  }
  expect(sample.external).toBeGreaterThan(0)
  expect(sample.cpuUserMs + sample.cpuSystemMs).toBeGreaterThan(5)
})

test('processor time is that since the sample before', () => {
  const { clock, fields } = samples()
  const user = [1_000_000, 1_250_000]
  clock.advance(1000)
  jest.spyOn(process, 'cpuUsage').mockImplementation(() => ({ user: user.shift() ?? 0, system: 7000 }))
  clock.advance(2000)
  expect(fields[2]).toMatchObject({ cpuUserMs: 250, cpuSystemMs: 0 })
})

test('there is one every second, or as often as is asked, until it is closed', () => {
  const { clock, fields } = samples()
  clock.advance(3000)
  expect(fields).toHaveLength(3)
  sampler?.close()
  sampler?.close()
  clock.advance(3000)
  expect(fields).toHaveLength(3)
  const often = samples(200)
  often.clock.advance(1000)
  expect(often.fields).toHaveLength(5)
})

test('a system that does not tell the resident set costs only that', () => {
  const { clock, fields } = samples()
  jest.spyOn(process.memoryUsage, 'rss').mockImplementation(() => {
    throw new Error('EMFILE')
  })
  clock.advance(1000)
  expect(fields).toHaveLength(1)
  expect(fields[0]).not.toHaveProperty('rss')
  expect(fields[0]?.heapUsed).toBeGreaterThan(0)
})

test('an incident shows three minutes before, whatever else was logged, where the facility has a ring of its own', () => {
  const recorder = rig.recorder({
    rings: { debug: '64KiB' },
    facilities: { [HEALTH_FACILITY]: { debug: HEALTH_RING_BYTES } },
  })
  recordHealth(recorder)
  for (let second = 0; second < 300; second++) {
    rig.clock.advance(1000)
    for (let i = 0; i < 100; i++) recorder.debug('busy {i}', { i })
  }
  const { events } = contents(recorder.capture('look'))
  const health = events.filter(({ facility }) => facility === HEALTH_FACILITY)
  expect(health.length).toBeGreaterThan(180)
  expect(health.at(-1)?.time).toBe(rig.clock.now())
  expect(HEALTH_SEVERITY).toBe(DEBUG)
  expect(messageText(health[0]!)).toMatch(
    /^event loop up to 12\.35 ms late, heap \d+ of \d+ bytes, resident \d+$/,
  )
  expect(events.filter(({ message }) => message === 'busy {i}').length).toBeLessThan(2000)
})
