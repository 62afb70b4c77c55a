import fc from 'fast-check'
import { EventEncoder } from '../../src/codec/encoder'
import { Redactor } from '../../src/event/redact'
import { openingBytes, trailerBlock } from '../../src/incident/block'
import { eventBlock, HistoryWriter, newStaging, sharedStaging } from '../../src/incident/history'
import { BlockFlag } from '../../src/incident/layout'
import { mergeHistory } from '../../src/ring/merge'
import { RingSet } from '../../src/ring/set'
import { parsed } from './parsing'
import { SYNC, sampleHeader } from './samples'

const encoder = new EventEncoder(new Redactor())

function encode(seq: number, text = ''): number {
  const length = encoder.encode(1e15, 9, `event ${seq}`, '', { text })
  encoder.stamp(seq)
  return length
}

function payloadOf(seq: number, text?: string): Uint8Array {
  return Uint8Array.from(encoder.bytes.subarray(0, encode(seq, text)))
}

/** A file of a history that was logged in this order. */
function fileOf(
  logged: readonly (readonly [seq: number, severity: number, text?: string])[],
  trigger: number,
  staging = newStaging(64 * 1024, 16 * 1024),
) {
  const rings = new RingSet({ sizes: { trace: '64KiB', debug: '64KiB' } })
  for (const [seq, severity, text] of logged) {
    const length = encode(seq, text)
    const ring = rings.select(severity, '')
    ring.append(encoder.longs, length)
    ring.markOutOfOrder()
  }
  const written: Uint8Array[] = [openingBytes(sampleHeader(), SYNC)]
  const marked = { seq: trigger, payload: payloadOf(trigger) }
  const writer = new HistoryWriter(SYNC, marked, (bytes) => written.push(bytes.slice()), staging)
  const until = Number.MAX_SAFE_INTEGER
  writer.take((target) => mergeHistory(rings.handles, target, { ownThread: 0, until }))
  return parsed(Buffer.concat(written))
}

test('events of all rings come in the order of seq, the trigger in its place and marked', () => {
  const { events, marks, damage } = fileOf(
    [
      [1, 1],
      [2, 9],
      [4, 1],
      [3, 9],
      [5, 5],
    ],
    3,
  )
  expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5])
  expect([...marks]).toEqual([[3, 'trigger']])
  expect(damage).toEqual([])
})

test.each([
  ['before all others', 0],
  ['between others', 3],
  ['after all others', 9],
])('a trigger that no ring holds gets its place %s', (_, trigger) => {
  const { events, marks } = fileOf(
    [
      [1, 1],
      [2, 5],
      [4, 9],
    ],
    trigger,
  )
  expect(events.map(({ seq }) => seq)).toEqual([1, 2, 4, trigger].sort((a, b) => a - b))
  expect([...marks.keys()]).toEqual([trigger])
})

test('any history fills blocks and staging in any way, and comes out as it went in', () => {
  const severities = fc.constantFrom(1, 5, 9, 13, 17, 21)
  const events = fc.array(fc.tuple(severities, fc.integer({ min: 0, max: 4000 })), { maxLength: 60 })
  fc.assert(
    fc.property(events, fc.nat(60), (sizes, at) => {
      const logged = sizes.map(([severity, size], i) => [2 * i, severity, 'x'.repeat(size)] as const)
      const trigger = 2 * at + 1
      const { events, damage, marks } = fileOf([...logged, [trigger, 17]], trigger)
      expect(damage).toEqual([])
      expect([...marks.keys()]).toEqual([trigger])
      const kept = events.map(({ seq }) => seq)
      expect(kept).toEqual([...kept].sort((a, b) => a - b))
      for (const { seq, fields } of events) {
        if (seq !== trigger) expect(fields['text']).toHaveLength(logged[seq / 2]?.[2].length ?? -1)
      }
    }),
    { numRuns: 60 },
  )
})

test('an event in a block of its own is read back with its mark', () => {
  const file = [
    openingBytes(sampleHeader(), SYNC),
    eventBlock(payloadOf(7), 7, BlockFlag.trigger, SYNC),
    eventBlock(payloadOf(8, 'odd'), 8, BlockFlag.further, SYNC),
    trailerBlock(
      {
        ...{ closedAt: 1, reason: 'time', furtherTriggers: [], furtherTriggersOmitted: 0, lost: 0 },
        events: { total: 2, history: 1, after: 1 },
      },
      SYNC,
    ),
  ]
  const { events, marks, verdict } = parsed(Buffer.concat(file))
  expect(events.map(({ message }) => message)).toEqual(['event 7', 'event 8'])
  expect([...marks]).toEqual([
    [7, 'trigger'],
    [8, 'further'],
  ])
  expect(verdict?.state).toBe('whole')
})

test('the staging memory is one for all, and at most 1 MiB', () => {
  expect(sharedStaging()).toBe(sharedStaging())
  expect(sharedStaging().bytes.length).toBeLessThanOrEqual(1024 * 1024)
})
