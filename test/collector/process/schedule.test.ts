import fc from 'fast-check'
import {
  dueSlots,
  firstSlot,
  nextSlot,
  periodMs,
  type Schedule,
  slotsBetween,
} from '../../../src/collector/process/schedule'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const at = (text: string): Date => new Date(`${text}Z`)

test('slots of an interval are its multiples, the same for whoever asks', () => {
  const schedule = { everyMs: 15 * MINUTE }
  expect(nextSlot(schedule, at('2026-03-01T10:07:00'))).toEqual(at('2026-03-01T10:15:00'))
  expect(nextSlot(schedule, at('2026-03-01T10:15:00'))).toEqual(at('2026-03-01T10:30:00'))
  expect(firstSlot(schedule, at('2026-03-01T10:07:00'))).toEqual(at('2026-03-01T10:00:00'))
})

test('cron goes by the clocks of its zone, also when they are changed', () => {
  const nightly: Schedule = { cron: '30 2 * * *', zone: 'Europe/Berlin' }
  expect(nextSlot(nightly, at('2026-03-27T12:00:00'))).toEqual(at('2026-03-28T01:30:00'))
  // On 29 March there is no half past two; on 25 October there are two.
  const spring = slotsBetween(nightly, at('2026-03-28T12:00:00'), at('2026-03-30T12:00:00'), 10)
  expect(spring).toHaveLength(2)
  expect(spring[1]).toEqual(at('2026-03-30T00:30:00'))
  const autumn = slotsBetween(nightly, at('2026-10-24T12:00:00'), at('2026-10-26T12:00:00'), 10)
  expect(autumn).toHaveLength(2)
  expect(nextSlot({ cron: '0 3 * * *' }, at('2026-03-01T03:00:00'))).toEqual(at('2026-03-02T03:00:00'))
  expect(firstSlot({ cron: '0 3 * * *' }, at('2026-03-01T04:00:00'))).toEqual(at('2026-03-02T03:00:00'))
  expect(periodMs({ cron: '0 * * * *' }, at('2026-03-01T03:10:00'))).toBe(HOUR)
})

test.each(['soon', '', '61 * * * *', '* * * * * * * *', '0 0 30 2 *'])('%j is no cron expression', (cron) => {
  expect(() => nextSlot({ cron }, at('2026-03-01T00:00:00'))).toThrow(
    expect.objectContaining({ code: 'FLOG_OPTION_INVALID' }),
  )
})

test('a zone that nobody knows is refused', () => {
  const schedule = { cron: '0 3 * * *', zone: 'Atlantis/Capital' }
  expect(() => nextSlot(schedule, at('2026-03-01T00:00:00'))).toThrow(
    expect.objectContaining({ code: 'FLOG_OPTION_INVALID' }),
  )
})

test('what was missed is one slot, the latest, and a number', () => {
  const hourly: Schedule = { everyMs: HOUR }
  expect(dueSlots(hourly, at('2026-03-01T10:00:00'), at('2026-03-01T09:59:59'))).toBeUndefined()
  expect(dueSlots(hourly, at('2026-03-01T10:00:00'), at('2026-03-01T10:00:00'))).toEqual({
    slot: at('2026-03-01T10:00:00'),
    missed: 0,
    latenessMs: 0,
  })
  for (const schedule of [hourly, { cron: '0 * * * *' }]) {
    expect(dueSlots(schedule, at('2026-03-01T10:00:00'), at('2026-03-01T13:20:00'))).toEqual({
      slot: at('2026-03-01T13:00:00'),
      missed: 3,
      latenessMs: 3 * HOUR + 20 * MINUTE,
    })
  }
})

test('slots are counted up to a thousand, and the latest is found nevertheless', () => {
  for (const schedule of [{ everyMs: MINUTE }, { cron: '* * * * *' }]) {
    expect(dueSlots(schedule, at('2025-03-01T00:00:00'), at('2026-03-01T00:00:30'))).toMatchObject({
      slot: at('2026-03-01T00:00:00'),
      missed: 1000,
    })
  }
})

test('interval and cron agree where they say the same', () => {
  const hour = fc.integer({ min: 480_000, max: 500_000 })
  fc.assert(
    fc.property(hour, fc.integer({ min: 0, max: 30 * HOUR }), (first, later) => {
      const next = new Date(first * HOUR)
      const now = new Date(next.getTime() + later)
      expect(dueSlots({ cron: '0 * * * *' }, next, now)).toEqual(dueSlots({ everyMs: HOUR }, next, now))
      expect(nextSlot({ cron: '0 * * * *' }, now)).toEqual(nextSlot({ everyMs: HOUR }, now))
    }),
    { numRuns: 200 },
  )
})
