import { parentPort, workerData } from 'node:worker_threads'
import { ControlBlock } from '../../../src/ring/control'
import { RingReader } from '../../../src/ring/reader'
import { Ring } from '../../../src/ring/ring'
import { checkedSeq, fakeEvent, SMALLEST } from '../frames'
import { type Drawing, Flag, type Reading, type Role, type Writing } from './roles'

/** One thread of a test with several; what it does is told by `workerData`. */
const role = workerData as Role
if (role.kind === 'write') write(role)
else if (role.kind === 'read') read(role)
else draw(role)

/** Makes its rings, says so, and writes into them by turns until it is told to stop. */
function write({ flags, control, rings: sizes, startAt, longest }: Writing): void {
  const block = new ControlBlock(control)
  const rings = sizes.map((bytes) => new Ring({ severity: 'info', thread: 1, bytes, startAt }))
  const event = new BigUint64Array(Math.ceil(longest / 8))
  parentPort?.postMessage(rings.map((ring) => ring.handle))
  Atomics.wait(flags, Flag.start, 0)
  let random = 1
  let written = 0
  while (Atomics.load(flags, Flag.stop) === 0) {
    random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0
    // Mostly short ones, and one in 64 of any length.
    const bytes = SMALLEST + ((random >>> 8) % ((random & 63) === 0 ? longest - SMALLEST : 500))
    const seq = block.nextSeq()
    const ring = rings[seq % rings.length] as Ring
    if (!ring.append(fakeEvent(seq, bytes, event), bytes)) throw new Error('an event was refused')
    block.publish(seq)
    written++
    if (random % 4096 === 0) Atomics.wait(flags, Flag.stop, 0, 1)
  }
  Atomics.store(flags, Flag.done, 1)
  parentPort?.postMessage({ written })
}

/** Reads one ring from its beginning until the writer is done, now and then with a pause in which it is overrun. */
function read({ flags, ring, pauses }: Reading): void {
  const reader = new RingReader(ring, 'oldest')
  const told = { read: 0, missed: 0, torn: 0, disordered: 0 }
  let last = -1
  parentPort?.postMessage('ready')
  for (;;) {
    const done = Atomics.load(flags, Flag.done) === 1
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
      const seq = checkedSeq(frame.payload)
      if (seq < 0) told.torn++
      if (seq <= last) told.disordered++
      last = seq
      told.read++
      told.missed += reader.takeMissed()
      if (pauses && told.read % 5000 === 0) Atomics.wait(flags, Flag.never, 0, 3)
    }
    told.missed += reader.takeMissed()
    if (done) break
  }
  parentPort?.postMessage(told)
}

/** Draws sequence numbers as fast as it can, beside others. */
function draw({ flags, control, count }: Drawing): void {
  const block = new ControlBlock(control)
  const seqs = new Float64Array(count)
  parentPort?.postMessage('ready')
  Atomics.wait(flags, Flag.start, 0)
  for (let i = 0; i < count; i++) {
    seqs[i] = block.nextSeq()
    block.publish(seqs[i] as number)
  }
  parentPort?.postMessage(seqs)
}
