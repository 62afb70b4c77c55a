import { performance } from 'node:perf_hooks'
import { SystemClock } from '../../src/base/clock'
import { decodeEvent } from '../../src/codec/decode'
import { Redactor } from '../../src/event/redact'
import { Capture } from '../../src/recorder/capture'
import { ControlBlock } from '../../src/ring/control'
import { mergeHistory } from '../../src/ring/merge'
import { RingReader } from '../../src/ring/reader'
import { RingSet } from '../../src/ring/set'

function newCapture(watchFrom = 25) {
  const shown: { readonly seq: number; readonly whole: Uint8Array | undefined }[] = []
  const rings = new RingSet()
  const parts = { clock: new SystemClock(), control: new ControlBlock(), rings }
  const capture = new Capture(parts, new Redactor(), 4096, {
    watchFrom,
    observe: (payload, _, whole) => shown.push({ seq: decodeEvent(payload).seq, whole: whole?.() }),
  })
  return { capture, rings, shown }
}

test('seq counts up, and is published when the event is in its ring', () => {
  const { capture } = newCapture()
  const seqs = [1, 9, 17].map((severity) => capture.record(severity, 'm', '', undefined, undefined))
  expect(seqs).toEqual([0, 1, 2])
  expect(capture.control.published).toBe(2)
})

test.each(['record', 'recordUnobserved'] as const)(
  'an event that was stamped before one of %s and recorded after it has its place in the history',
  (method) => {
    const { capture, rings } = newCapture()
    const early = capture.stamp()
    if (method === 'record') capture.record(9, 'later', '', undefined, undefined)
    else capture.recordUnobserved(9, 'later', '', {})
    capture.record(9, 'earlier', '', undefined, undefined, early)
    const seqs: number[] = []
    mergeHistory(rings.handles, { event: (seq) => seqs.push(seq) }, { ownThread: 0, until: 1 })
    expect(seqs).toEqual([0, 1])
  },
)

test('only events of the watched severities are shown, with the means to have them whole where they were cut', () => {
  const { capture, shown } = newCapture(17)
  capture.record(13, 'quiet', '', undefined, undefined)
  capture.record(17, 'loud', '', undefined, undefined)
  capture.record(17, 'long', '', { text: 'x'.repeat(10_000) }, undefined)
  expect(shown.map(({ seq }) => seq)).toEqual([1, 2])
  expect(shown[0]?.whole).toBeUndefined()
  expect(decodeEvent(shown[1]?.whole ?? new Uint8Array())).toMatchObject({
    seq: 2,
    fields: { text: 'x'.repeat(10_000) },
  })
})

test('events logged while values of another one are read keep their own content', () => {
  const { capture, rings } = newCapture()
  const deep = (left: number): object => ({
    get inner() {
      if (left > 0) capture.record(9, `level ${left}`, '', deep(left - 1), undefined)
      return left
    },
  })
  capture.record(9, 'level 4', '', deep(3), undefined)
  const ring = rings.handles.find(({ severity }) => severity === 'info')
  if (ring === undefined) throw new Error('there is no ring')
  const reader = new RingReader(ring, 'oldest')
  const events = []
  for (let frame = reader.next(); frame !== undefined; frame = reader.next())
    events.push(decodeEvent(frame.payload))
  expect(events.map(({ message, fields }) => [message, fields['inner']])).toEqual([
    ['level 1', 0],
    ['level 2', 1],
    ['level 3', 2],
    ['level 4', 3],
  ])
  expect(capture.failed).toBe(0)
})

test('recording costs microseconds, and nothing that is kept', () => {
  const { capture } = newCapture()
  const start = performance.now()
  for (let i = 0; i < 20_000; i++) capture.record(9, 'event', '', { i, half: i / 2, text: 'some' }, undefined)
  expect(performance.now() - start).toBeLessThan(2000)
})
