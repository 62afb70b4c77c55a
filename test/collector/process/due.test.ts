import { judge, type LastRun, type Situation } from '../../../src/collector/process/due'

const HOUR = 3_600_000
const NOON = new Date('2026-03-01T12:00:00Z')
const after = (ms: number): Date => new Date(NOON.getTime() + ms)
const OPTIONS = { jitterMs: 0, stallTimeoutMs: HOUR, catchUpMs: undefined }

function last(changed: Partial<LastRun> = {}): LastRun {
  return {
    runId: 7n,
    state: 'completed',
    ownerLives: true,
    progressTime: NOON,
    slotAt: NOON,
    settingsVersion: 3n,
    interrupted: false,
    continues: undefined,
    origin: 'slot',
    ...changed,
  }
}

/** An hourly process that was run at noon, at five past. */
function situation(changed: Partial<Situation> = {}): Situation {
  return {
    at: after(HOUR / 12),
    schedule: { everyMs: HOUR },
    nextRunAt: after(HOUR),
    paused: false,
    requested: false,
    backfill: [],
    settingsVersion: 3n,
    settingsSince: 2n,
    last: last(),
    ...changed,
  }
}

test.each([
  ['nothing, before the next slot', {}, undefined],
  ['the slot, when it comes', { at: after(HOUR) }, 'slot'],
  ['what somebody asks for', { requested: true }, 'requested'],
  ['other settings than the last run began with', { settingsVersion: 5n, settingsSince: 4n }, 'settings'],
  ['items that changed since the last run began', { settingsVersion: 4n }, 'changes'],
  ['slots of the past, when nothing else is to do', { backfill: ['2026-02-01T00:00:00Z'] }, 'backfill'],
  ['what a dead owner left', { last: last({ state: 'active', ownerLives: false }) }, 'lost'],
  ['what was marked lost while it was paused', { last: last({ state: 'lost' }) }, 'lost'],
  ['what a collector that ended left', { last: last({ interrupted: true }) }, 'interrupted'],
  [
    'nothing, while a run goes on',
    { at: after(HOUR), requested: true, last: last({ state: 'active' }) },
    undefined,
  ],
  ['nothing, while paused', { at: after(HOUR), paused: true, settingsVersion: 4n }, undefined],
  ['what somebody asks for, though paused', { paused: true, requested: true }, 'requested'],
  ['the slot before all else', { at: after(HOUR), requested: true, settingsVersion: 4n }, 'slot'],
] as const)('a process runs %s', (_, changed, reason) => {
  expect(judge(situation(changed), OPTIONS).plan?.reason).toBe(reason)
})

test('a run without progress is lost after the time-out, not at it', () => {
  const active = { last: last({ state: 'active' }) }
  expect(judge(situation({ ...active, at: after(HOUR) }), OPTIONS).lost).toBe(false)
  expect(judge(situation({ ...active, at: after(HOUR + 1) }), OPTIONS)).toMatchObject({
    lost: true,
    plan: { reason: 'slot', continues: undefined },
  })
})

test('a paused process loses the run of its dead owner, and begins none', () => {
  const left = { paused: true, last: last({ state: 'active', ownerLives: false }) }
  expect(judge(situation(left), OPTIONS)).toMatchObject({ lost: true, plan: undefined })
})

test('a run that continues another answers for the settings of the first', () => {
  const left = last({ state: 'lost', continues: 5n, settingsVersion: 2n })
  expect(judge(situation({ last: left }), OPTIONS).plan).toMatchObject({
    continues: 5n,
    settingsVersion: 2n,
    slot: NOON,
  })
})

test('jitter moves the slots, and skips none', () => {
  const options = { ...OPTIONS, jitterMs: 30_000 }
  expect(judge(situation({ at: after(HOUR) }), options)).toMatchObject({ plan: undefined, waitMs: 30_000 })
  // The slot at two has come, but for its jitter: one run for one o'clock, and two is still to come.
  expect(judge(situation({ at: after(2 * HOUR + 10_000) }), options)).toMatchObject({
    plan: { slot: after(HOUR), missed: 0 },
    nextRunAt: after(2 * HOUR),
  })
})

test('slots outside of the catch-up window are missed, and the process waits for the next one', () => {
  const options = { ...OPTIONS, catchUpMs: 1000 }
  expect(judge(situation({ at: after(2 * HOUR + 1001) }), options)).toMatchObject({
    plan: undefined,
    missed: 2,
    nextRunAt: after(3 * HOUR),
    waitMs: HOUR - 1001,
  })
  expect(judge(situation({ at: after(2 * HOUR + 1000) }), options)).toMatchObject({
    plan: { missed: 1 },
    missed: 1,
  })
})

test('jitter is no lateness: it uses nothing up of the catch-up window', () => {
  const options = { ...OPTIONS, jitterMs: 20_000, catchUpMs: 10_000 }
  expect(judge(situation({ at: after(HOUR + 20_000) }), options).plan?.reason).toBe('slot')
  expect(judge(situation({ at: after(HOUR + 30_001) }), options).plan).toBeUndefined()
})

test('what goes on with a run is for what that was for', () => {
  const left = last({ state: 'lost', origin: 'changes' })
  const { plan } = judge(situation({ last: left, settingsVersion: 4n }), OPTIONS)
  expect(plan).toMatchObject({ reason: 'lost', origin: 'changes', settingsVersion: 3n })
})
