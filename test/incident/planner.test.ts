import fc from 'fast-check'
import { MAGIC_BYTES } from '../../src/incident/magic'
import { MemberPlanner, type PlannedMember } from '../../src/incident/planner'
import { buildFile, plainFile } from '../../tools/fixtures/incident-file'

const FILE = buildFile({
  name: 'planner test',
  history: [Array(30).fill({ fields: { text: 'x'.repeat(200) } }), [{}], [{}, {}]],
  trigger: { message: 'm'.repeat(5000) },
  after: Array(20).fill({}),
})
const PLAIN = plainFile(FILE)

interface Piece {
  readonly plain: Buffer
  readonly isTrailer: boolean
}

function planned(bytes: Uint8Array, memberBytes: number, chunk = bytes.length): Piece[] {
  const planner = new MemberPlanner(memberBytes)
  const pieces: Piece[] = []
  const take = (members: Iterable<PlannedMember>) => {
    for (const { plain, isTrailer } of members) pieces.push({ plain: Buffer.from(plain), isTrailer })
  }
  for (let at = 0; at < bytes.length; at += chunk) take(planner.push(bytes.subarray(at, at + chunk)))
  take(planner.end())
  return pieces
}

test('magic line and header come first, the trailer last, each alone', () => {
  const pieces = planned(PLAIN, 10_000)
  expect(pieces[0]?.plain).toEqual(Buffer.from(FILE.opening))
  expect(pieces.at(-1)).toEqual({ plain: Buffer.from(FILE.trailer!), isTrailer: true })
  expect(pieces.filter(({ isTrailer }) => isTrailer)).toHaveLength(1)
})

test('members end where blocks end, unless one block is larger than a member', () => {
  const ends = new Set([FILE.opening.length])
  for (const block of FILE.blocks) ends.add([...ends].at(-1)! + block.length)
  let end = 0
  const pieces = planned(PLAIN, 10_000)
  for (const { plain, isTrailer } of pieces) {
    end += plain.length
    if (!isTrailer) expect(ends).toContain(end)
  }
  expect(pieces.length).toBeLessThan(FILE.blocks.length)
})

test('nothing is lost or added, whatever the bytes, the chunks and the size of members', () => {
  const damaged = fc.tuple(fc.nat(PLAIN.length - 1), fc.nat(300), fc.nat(255)).map(([at, length, value]) => {
    return Buffer.from(PLAIN).fill(value, at, Math.min(PLAIN.length, at + length))
  })
  const files = fc.oneof(
    fc.constant(PLAIN),
    damaged,
    fc.nat(PLAIN.length).map((length) => PLAIN.subarray(0, length)),
  )
  fc.assert(
    fc.property(
      files,
      fc.integer({ min: 100, max: 20_000 }),
      fc.integer({ min: 1, max: 5000 }),
      (bytes, size, chunk) => {
        const pieces = planned(bytes, size, chunk)
        expect(Buffer.concat(pieces.map(({ plain }) => plain)).equals(bytes)).toBe(true)
        for (const { plain, isTrailer } of pieces)
          if (!isTrailer) expect(plain.length).toBeLessThanOrEqual(size)
      },
    ),
  )
})

test('the plan does not depend on how the bytes arrive', () => {
  expect(planned(PLAIN, 4000, 7)).toEqual(planned(PLAIN, 4000))
})

test('bytes of any other kind are cut all the same', () => {
  const noise = Buffer.alloc(1000, 'noise')
  expect(Buffer.concat(planned(noise, 300, MAGIC_BYTES).map(({ plain }) => plain))).toEqual(noise)
})
