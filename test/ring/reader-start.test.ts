import fc from 'fast-check'
import { RING_MIN_BYTES } from '../../src/base/limits'
import { RingReader } from '../../src/ring/reader'
import { Ring } from '../../src/ring/ring'
import { checkedSeq, fakeEvent, SMALLEST } from './frames'

test('wherever a reader starts again, it gives exactly the rest, and counts what is gone', () => {
  const lengths = fc.array(fc.integer({ min: SMALLEST, max: 3000 }), { minLength: 0, maxLength: 120 })
  fc.assert(
    fc.property(lengths, fc.nat(130), (events, from) => {
      const ring = new Ring({ severity: 'info', bytes: RING_MIN_BYTES })
      for (const bytes of events) ring.append(fakeEvent(ring.written, bytes), bytes)
      const there = rest(new RingReader(ring.handle, 'oldest'))
      const oldest = there[0] ?? events.length
      const reader = new RingReader(ring.handle, from)
      expect(rest(reader)).toEqual(there.filter((seq) => seq >= from))
      expect(reader.takeMissed()).toBe(Math.max(0, oldest - from))
    }),
    { numRuns: 300 },
  )
})

function rest(reader: RingReader): number[] {
  const seqs: number[] = []
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
    seqs.push(checkedSeq(frame.payload))
  }
  return seqs
}
