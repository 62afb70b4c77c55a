import fc from 'fast-check'
import { putRecord, recordBytes, recordsOf } from '../../src/incident/records'

const payloads = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }))

function written(events: readonly Uint8Array[]): Uint8Array {
  const target = new Uint8Array(events.reduce((sum, event) => sum + recordBytes(event.length), 0)).fill(0xee)
  let at = 0
  for (const event of events) at = putRecord(target, at, event)
  expect(at).toBe(target.length)
  return target
}

test('events come out of a payload as they went in', () => {
  fc.assert(
    fc.property(payloads, (events) => {
      expect([...recordsOf(written(events))].map((event) => [...event])).toEqual(
        events.map((event) => [...event]),
      )
    }),
  )
})

test('every record starts at a multiple of 4 and is padded with zeros', () => {
  const payload = written([Uint8Array.of(1), Uint8Array.of(1, 2, 3, 4, 5)])
  expect([...payload]).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0])
})

test('a part of other bytes can be put, without a copy', () => {
  const target = new Uint8Array(8)
  expect(putRecord(target, 0, Uint8Array.of(9, 8, 7, 6), 1, 3)).toBe(8)
  expect([...recordsOf(target)].map((event) => [...event])).toEqual([[8, 7]])
})

test('a payload of any bytes gives views inside of it, and ends', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (payload) => {
      for (const record of recordsOf(payload)) {
        expect(record.byteOffset + record.length).toBeLessThanOrEqual(payload.byteOffset + payload.length)
        expect(record.length).toBeGreaterThan(0)
      }
    }),
  )
})
