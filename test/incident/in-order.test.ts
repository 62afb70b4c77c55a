import fc from 'fast-check'
import { ORDERED_EVENTS } from '../../src/base/limits'
import { inOrder } from '../../src/incident/in-order'
import type { IncidentPart } from '../../src/incident/parser'
import type { RecordedEvent } from '../../src/incident/parts'
import { RingSet } from '../../src/ring/set'
import { stateOfRing } from '../../src/ring/state'
import { sampleHeader } from './samples'

const TRIGGER = 1000

function events(...seqs: readonly number[]): IncidentPart {
  return { kind: 'events', events: seqs.map((seq) => recorded(seq)) }
}

function recorded(seq: number): RecordedEvent {
  const event = { seq, time: seq, severity: 9, message: `event ${seq}`, facility: '', fields: {} }
  return seq === TRIGGER ? { event, mark: 'trigger' } : { event }
}

function header(...threads: readonly number[]): IncidentPart {
  const rings = threads.flatMap((thread) => new RingSet({ thread }).handles.map(stateOfRing))
  return { kind: 'header', header: { ...sampleHeader(), rings } }
}

const DAMAGE: IncidentPart = {
  kind: 'damage',
  damage: { what: 'corrupt', layer: 'plain', offset: 1, bytes: 1, message: 'some', eventsLost: 0 },
}

/** What comes out: numbers of events, and the names of other parts. */
async function shown(...parts: readonly IncidentPart[]): Promise<(number | string)[]> {
  async function* given() {
    yield* parts
  }
  const found: (number | string)[] = []
  for await (const part of inOrder(given())) {
    if (part.kind === 'events') found.push(...part.events.map(({ event }) => event.seq))
    else found.push(part.kind)
  }
  return found
}

test('events of the window come in order where several threads logged them', async () => {
  const parts = [header(0, 3), events(1, 2), events(TRIGGER), events(1003), events(1001, 1004), events(1002)]
  expect(await shown(...parts, DAMAGE)).toEqual([
    ...['header', 1, 2, TRIGGER],
    ...[1001, 1002, 1003, 1004, 'damage'],
  ])
})

test('nothing is moved over damage, nor in a file of one thread', async () => {
  const mixed = [header(0, 3), events(TRIGGER), events(1003), DAMAGE, events(1001), DAMAGE]
  expect(await shown(...mixed)).toEqual(['header', TRIGGER, 1003, 'damage', 1001, 'damage'])
  const single = [header(0, 0), events(TRIGGER), events(1003), events(1001)]
  expect(await shown(...single)).toEqual(['header', TRIGGER, 1003, 1001])
})

test('a window that a file ends in comes out too', async () => {
  expect(await shown(header(0, 1), events(TRIGGER), events(1002), events(1001))).toEqual([
    'header',
    ...[TRIGGER, 1001, 1002],
  ])
})

test('however many there are, those that are not far from their place are put right, and none is lost', async () => {
  const moved = fc.array(fc.nat(ORDERED_EVENTS / 2), { minLength: 1, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(moved, fc.integer({ min: 1, max: 6000 }), async (shifts, count) => {
      const seqs = Array.from({ length: count }, (_, i) => TRIGGER + 1 + i)
      const late = (seq: number): number => seq + (shifts[seq % shifts.length] as number)
      const arrived = [...seqs].sort((one, other) => late(one) - late(other))
      const blocks = arrived.map((seq) => events(seq))
      expect(await shown(header(0, 1), events(TRIGGER), ...blocks)).toEqual(['header', TRIGGER, ...seqs])
    }),
    { numRuns: 20 },
  )
})
