import { all, any, not } from '../../../src/incident/qualifiers/combine'
import { rateAbove } from '../../../src/incident/qualifiers/rate'
import { facilityUnder, severityAtLeast } from '../../../src/incident/qualifiers/severity'
import { eventOf } from './events'

const failing = () => {
  throw new Error('broken qualifier')
}

describe('any', () => {
  test('qualifies what one of them does, with all their reasons', () => {
    const qualifier = any(severityAtLeast('error'), facilityUnder('db', 'warn'))
    expect(qualifier.qualifies(eventOf('warn', { facility: 'db.pool' }))).toEqual({
      reason: 'warn event of db.pool',
    })
    expect(qualifier.qualifies(eventOf('warn'))).toBe(false)
    expect(
      any(severityAtLeast('error'), rateAbove({ count: 1, windowMs: 1 })).qualifies(eventOf('error')),
    ).toEqual({
      reason: 'error event; 1 events at warn or above within 0 ms',
      fingerprint: expect.any(String),
    })
  })

  test('a counter sees every event, even those that qualify already', () => {
    const qualifier = any(severityAtLeast('error'), rateAbove({ severity: 'warn', count: 3, windowMs: 1000 }))
    expect(qualifier.qualifies(eventOf('error'))).not.toBe(false)
    expect(qualifier.qualifies(eventOf('error'))).not.toBe(false)
    expect(qualifier.qualifies(eventOf('warn'))).toMatchObject({
      reason: expect.stringContaining('3 events'),
    })
  })

  test('promises the lowest of their minimum severities', () => {
    expect(any(severityAtLeast('error'), severityAtLeast('warn')).minimumSeverity).toBe(13)
    expect(any(severityAtLeast('error'), () => false).minimumSeverity).toBe(1)
  })

  test('a part is not shown what it promised not to need', () => {
    const shown: number[] = []
    const part = {
      minimumSeverity: 17,
      qualifies: (event: { severity: number }) => shown.push(event.severity) < 0,
    }
    const qualifier = any(part, severityAtLeast('debug'))
    for (const severity of ['debug', 'warn', 'error']) qualifier.qualifies(eventOf(severity))
    expect(shown).toEqual([17])
  })

  test('one that throws keeps none of the others from qualifying, but is told of otherwise', () => {
    const qualifier = any(failing, severityAtLeast('error'))
    expect(qualifier.qualifies(eventOf('error'))).toEqual({ reason: 'error event' })
    expect(() => qualifier.qualifies(eventOf('info'))).toThrow('broken qualifier')
  })
})

describe('all', () => {
  test('qualifies only what each of them does', () => {
    const qualifier = all(severityAtLeast('warn'), facilityUnder('db', 'trace'))
    expect(qualifier.qualifies(eventOf('warn', { facility: 'db' }))).toEqual({
      reason: 'warn event of db and warn event of db',
    })
    expect(qualifier.qualifies(eventOf('warn'))).toBe(false)
    expect(qualifier.qualifies(eventOf('info', { facility: 'db' }))).toBe(false)
  })

  test('a counter counts what another refuses', () => {
    const counting = rateAbove({ severity: 'info', count: 3, windowMs: 1000 })
    const qualifier = all(severityAtLeast('error'), counting)
    expect(qualifier.qualifies(eventOf('info'))).toBe(false)
    expect(qualifier.qualifies(eventOf('info'))).toBe(false)
    expect(qualifier.qualifies(eventOf('error'))).not.toBe(false)
  })

  test('promises the highest of their minimum severities, but no more than what counts needs to see', () => {
    expect(all(severityAtLeast('error'), facilityUnder('db', 'trace')).minimumSeverity).toBe(17)
    expect(
      all(severityAtLeast('error'), rateAbove({ severity: 'info', count: 2, windowMs: 1 })).minimumSeverity,
    ).toBe(9)
    expect(all(severityAtLeast('error'), () => true).minimumSeverity).toBe(1)
  })

  test('one that throws throws, after all have seen the event', () => {
    let seen = 0
    const qualifier = all(failing, () => ++seen > 0)
    expect(() => qualifier.qualifies(eventOf('error'))).toThrow('broken qualifier')
    expect(seen).toBe(1)
  })
})

describe('not', () => {
  test('excludes, inside all, and leaves the promise of the others', () => {
    const qualifier = all(severityAtLeast('warn'), not(facilityUnder('http.access', 'trace')))
    expect(qualifier.minimumSeverity).toBe(13)
    expect(qualifier.qualifies(eventOf('error', { facility: 'http.access' }))).toBe(false)
    expect(qualifier.qualifies(eventOf('error', { facility: 'http' }))).toEqual({
      reason: 'error event of http',
    })
  })

  test('by itself promises nothing', () => {
    const qualifier = not(severityAtLeast('warn'))
    expect(qualifier.minimumSeverity).toBe(1)
    expect([qualifier.qualifies(eventOf('info')), qualifier.qualifies(eventOf('error'))]).toEqual([
      true,
      false,
    ])
    expect(not(not(severityAtLeast('warn'))).qualifies(eventOf('error'))).toBe(true)
  })
})

test('functions whose answers are bare', () => {
  expect(any(() => true).qualifies(eventOf('info'))).toBe(true)
  expect(all(() => true, severityAtLeast('info')).qualifies(eventOf('info'))).toEqual({
    reason: 'info event',
  })
  expect(any((() => undefined) as unknown as () => boolean).qualifies(eventOf('info'))).toBe(false)
  expect(not((() => undefined) as unknown as () => boolean).qualifies(eventOf('info'))).toBe(true)
})

test('no qualifiers, or what is none, is refused', () => {
  expect(() => any()).toThrow('option any takes at least one qualifier')
  expect(() => all(severityAtLeast('warn'), 'error' as never)).toThrow('option all[1] takes a qualifier')
  expect(() => not(undefined as never)).toThrow('option not takes a qualifier')
})
