import fc from 'fast-check'
import type { LogEvent } from '../../src/event/event'
import { groupIncidents, type Incident } from '../../src/query/groups'
import { sampleEvent } from '../incident/samples'

function incident(fingerprint: string, openedAt: number, event: Partial<LogEvent> = {}): Incident {
  const trigger = { kind: 'event', reason: 'r', fingerprint, event: { ...sampleEvent(1), ...event } } as const
  return { openedAt, trigger }
}

test('counts, and says when the first and the last began', () => {
  const [a3, b1, a1, a2] = [
    incident('a', 30, { message: 'newest' }),
    incident('b', 99),
    incident('a', 10, { severity: 21 }),
    incident('a', 20),
  ]
  expect(groupIncidents([a3, b1, a1, a2])).toEqual([
    {
      fingerprint: 'a',
      incidents: [a1, a2, a3],
      count: 3,
      firstSeen: 10,
      lastSeen: 30,
      severity: 21,
      latest: a3,
    },
    expect.objectContaining({ fingerprint: 'b', count: 1, firstSeen: 99, lastSeen: 99, latest: b1 }),
  ])
})

test('none of none', () => expect(groupIncidents([])).toEqual([]))

test('the order of the incidents does not matter', () => {
  const one = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 1e6 }))
  const some = fc.uniqueArray(one, { selector: ([, time]) => time, maxLength: 20 })
  fc.assert(
    fc.property(some, (made) => {
      const incidents = made.map(([fingerprint, time]) => incident(fingerprint, time))
      expect(groupIncidents(incidents.toReversed())).toEqual(groupIncidents(incidents))
    }),
  )
})
