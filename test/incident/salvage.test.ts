import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { readMember } from '../../src/incident/member'
import { buildFile, gzipFile, plainFile } from '../../tools/fixtures/incident-file'
import { type Parsed, parsed } from './parsing'

/** Damage everywhere: nothing but the damaged part is lost, and a reader always comes to a verdict. */

const FILE = buildFile({
  name: 'salvage test',
  history: [[{}, { message: 'two' }], [{ message: 'three', fields: { n: 3 } }], [{}, {}, {}]],
  after: [{}, { further: 'again' }, {}],
})
const PLAIN = plainFile(FILE)
const GZIP = gzipFile(PLAIN, 250)

/** Where parts of a file start and end, and the seqs of the events that are in each. */
interface Part {
  readonly from: number
  readonly to: number
  readonly seqs: ReadonlySet<number>
}

const BLOCKS = blockParts()
const MEMBERS = memberParts()

function blockParts(): Part[] {
  const parts: Part[] = []
  let from = FILE.opening.length
  let next = 0
  for (const block of FILE.blocks) {
    const events = Buffer.from(block).readUInt32LE(24)
    const seqs = new Set(FILE.events.slice(next, next + events).map(({ seq }) => seq))
    parts.push({ from, to: from + block.length, seqs })
    from += block.length
    next += events
  }
  return parts
}

/** Members, each with the events of all blocks that lie in it at least in part. */
function memberParts(): Part[] {
  const parts: Part[] = []
  let plainAt = 0
  for (let from = 0; from < GZIP.length; ) {
    const { length, plainLength } = readMember(GZIP, from)!
    const inside = BLOCKS.filter((block) => block.from < plainAt + plainLength && block.to > plainAt)
    parts.push({ from, to: from + length, seqs: new Set(inside.flatMap(({ seqs }) => [...seqs])) })
    plainAt += plainLength
    from += length
  }
  return parts
}

function seqsOf(read: Parsed): Set<number> {
  return new Set(read.events.map(({ seq }) => seq))
}

function allBut(parts: readonly Part[], isDamaged: (part: Part) => boolean): number[] {
  const lost = new Set(parts.filter(isDamaged).flatMap(({ seqs }) => [...seqs]))
  return FILE.events.map(({ seq }) => seq).filter((seq) => !lost.has(seq))
}

function flip(bytes: Buffer, at: number, bits: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at]! ^= bits
  return copy
}

/** Those of `expected` that were not read. */
function lostOf(read: Parsed, expected: readonly number[]): readonly number[] {
  const kept = seqsOf(read)
  return expected.filter((seq) => !kept.has(seq))
}

const BITS = [0x01, 0x90]
const DAMAGED: ReadonlySet<string> = new Set(['corrupt', 'truncated'])

test('a plain file with a byte changed anywhere is corrupt and keeps every event of every other block', () => {
  const wrong: unknown[] = []
  for (let at = 0; at < PLAIN.length; at++) {
    for (const bits of BITS) {
      const read = parsed(flip(PLAIN, at, bits))
      const lost = lostOf(
        read,
        allBut(BLOCKS, (part) => part.from <= at && at < part.to),
      )
      if (read.verdict?.state !== 'corrupt' || lost.length > 0)
        wrong.push([at, bits, read.verdict?.state, lost])
    }
  }
  expect(wrong).toEqual([])
})

test('a compressed file with a byte changed anywhere keeps every event of every other member', () => {
  const wrong: unknown[] = []
  for (let at = 0; at < GZIP.length; at++) {
    for (const bits of BITS) {
      const bytes = flip(GZIP, at, bits)
      const read = parsed(bytes)
      const lost = lostOf(
        read,
        allBut(MEMBERS, (part) => part.from <= at && at < part.to),
      )
      const state = read.verdict?.state ?? 'none'
      // Some bits of deflate data mean nothing: those after its end, codes that do not occur.
      const isTold = state === 'whole' ? gunzipSync(bytes).equals(PLAIN) : DAMAGED.has(state)
      if (!isTold || lost.length > 0) wrong.push([at, bits, state, lost])
    }
  }
  expect(wrong).toEqual([])
})

test('a plain file cut anywhere is truncated, or open between blocks, and keeps every event before', () => {
  const ends = new Set([FILE.opening.length, ...BLOCKS.map(({ to }) => to)])
  const wrong: unknown[] = []
  for (let length = 1; length < PLAIN.length; length++) {
    const read = parsed(PLAIN.subarray(0, length))
    const state = read.verdict?.state
    const before = allBut(BLOCKS, (part) => part.to > length)
    if (state !== (ends.has(length) ? 'open' : 'truncated') || `${[...seqsOf(read)]}` !== `${before}`)
      wrong.push([length, state, [...seqsOf(read)], before])
  }
  expect(wrong).toEqual([])
})

test('a compressed file cut anywhere is truncated and keeps every event of whole members', () => {
  const wrong: unknown[] = []
  for (let length = 1; length < GZIP.length; length++) {
    const read = parsed(GZIP.subarray(0, length))
    const lost = lostOf(
      read,
      allBut(MEMBERS, (part) => part.to > length),
    )
    if (read.verdict?.state !== 'truncated' || lost.length > 0)
      wrong.push([length, read.verdict?.state, lost])
  }
  expect(wrong).toEqual([])
})

test('bytes put in or taken out anywhere cost no more than the block in which they are', () => {
  const wrong: unknown[] = []
  for (let at = FILE.opening.length; at < PLAIN.length; at += 3) {
    const inserted = Buffer.concat([PLAIN.subarray(0, at), Buffer.from('inserted'), PLAIN.subarray(at)])
    const removed = Buffer.concat([PLAIN.subarray(0, at), PLAIN.subarray(at + 5)])
    const elsewhere = allBut(BLOCKS, (part) => part.from <= at + 5 && at <= part.to)
    for (const bytes of [inserted, removed]) {
      const lost = lostOf(parsed(bytes), elsewhere)
      if (lost.length > 0) wrong.push([at, lost])
    }
  }
  expect(wrong).toEqual([])
})

test('what is lost is counted by what the trailer says', () => {
  for (const { from, to, seqs } of BLOCKS) {
    const damaged = Buffer.from(PLAIN).fill(0, from + 50, to)
    const { verdict } = parsed(damaged)
    expect(verdict).toMatchObject({ events: FILE.events.length - seqs.size, eventsLost: seqs.size })
  }
})

test('a block whose marker or length alone is damaged is read nevertheless', () => {
  for (const block of BLOCKS) {
    for (let at = block.from; at < block.from + 24; at++) {
      if (at >= block.from + 16 && at < block.from + 20) continue
      expect(parsed(flip(PLAIN, at, 0x04)).events).toEqual(FILE.events)
    }
  }
})

test('a block that a logged value imitates is not believed', () => {
  const other = buildFile({ name: 'another file', history: [[{ message: 'forged' }]] })
  const forged = plainFile(other)
  const file = buildFile({ name: 'victim', history: [[{ fields: { forged } }, { message: 'm' }], [{}]] })
  const plain = plainFile(file)
  const read = parsed(flip(plain, file.opening.length + 60, 1))
  expect(read.events.map(({ message }) => message)).toEqual(['tick', 'checkout failed'])
})

const mutation = fc.oneof(
  fc.record({ kind: fc.constant('set'), at: fc.nat(5000), bytes: fc.uint8Array({ maxLength: 60 }) }),
  fc.record({ kind: fc.constant('insert'), at: fc.nat(5000), bytes: fc.uint8Array({ maxLength: 60 }) }),
  fc.record({ kind: fc.constant('remove'), at: fc.nat(5000), bytes: fc.uint8Array({ maxLength: 60 }) }),
  fc.record({
    kind: fc.constant('copy'),
    at: fc.nat(5000),
    bytes: fc.uint8Array({ minLength: 2, maxLength: 400 }),
  }),
)

function mutated(bytes: Buffer, kind: string, where: number, patch: Uint8Array): Buffer {
  const at = where % (bytes.length + 1)
  const before = bytes.subarray(0, at)
  if (kind === 'insert') return Buffer.concat([before, patch, bytes.subarray(at)])
  if (kind === 'remove') return Buffer.concat([before, bytes.subarray(at + patch.length)])
  if (kind === 'set') return Buffer.concat([before, patch, bytes.subarray(at + patch.length)])
  const from = (patch[0]! * 256 + patch[1]!) % bytes.length
  return Buffer.concat([before, bytes.subarray(from, from + patch.length), bytes.subarray(at)])
}

test.each([
  ['plain', PLAIN],
  ['compressed', GZIP],
])(
  'a %s file changed in any way leads to a verdict or to an error of ours, in any chunks alike',
  (_, original) => {
    fc.assert(
      fc.property(
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 500 }),
        (changes, chunk) => {
          const bytes = changes.reduce(
            (file, { kind, at, bytes }) => mutated(file, kind, at, bytes),
            original,
          )
          const whole = outcome(bytes, bytes.length)
          expect(outcome(bytes, chunk)).toEqual(whole)
        },
      ),
      { numRuns: 100 },
    )
  },
)

test('bytes of any kind lead to a verdict or to an error of ours', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => outcome(bytes, 100) !== undefined))
})

function outcome(bytes: Uint8Array, chunk: number): unknown {
  try {
    return parsed(bytes, {}, chunk)
  } catch (error) {
    if ((error as Error).name !== 'FlogError') throw error
    return (error as Error).message
  }
}
