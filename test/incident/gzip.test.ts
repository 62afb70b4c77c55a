import { execFileSync } from 'node:child_process'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { gzipEnd, gzipMember } from '../../src/incident/gzip'
import { END_MEMBER_BYTES, findMember, readMember, startsLikeMember } from '../../src/incident/member'
import { buildFile, gzipFile, plainFile } from '../../tools/fixtures/incident-file'

const PLAIN = plainFile(buildFile({ name: 'gzip test', history: [[{}, {}], [{}]], after: [{}, {}] }))

test('a member is gzip to everybody', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (plain) => {
      expect(gunzipSync(gzipMember(plain))).toEqual(Buffer.from(plain))
    }),
  )
})

test('zcat of a finished file is the plain file', () => {
  expect(execFileSync('zcat', { input: gzipFile(PLAIN, 200) })).toEqual(PLAIN)
})

test('members are gone through by their lengths, from the first to the last, which tells where the trailer is', () => {
  const file = gzipFile(PLAIN, 200)
  const found: { readonly at: number; readonly plain: Buffer }[] = []
  let member = readMember(file)
  let at = 0
  while (member !== undefined && member.trailerAt === undefined) {
    const plain = gunzipSync(file.subarray(at, at + member.length))
    expect(plain).toHaveLength(member.plainLength)
    found.push({ at, plain })
    at += member.length
    member = readMember(file, at)
  }
  expect(found.length).toBeGreaterThan(3)
  expect(Buffer.concat(found.map(({ plain }) => plain))).toEqual(PLAIN)
  expect(member).toEqual({
    length: END_MEMBER_BYTES,
    plainLength: 0,
    dataAt: 36,
    trailerAt: found.at(-1)!.at,
  })
  expect(at + END_MEMBER_BYTES).toBe(file.length)
})

test('the last member has the same length wherever the trailer is', () => {
  for (const offset of [0, 1, 2 ** 32, 2 ** 52]) {
    const end = gzipEnd(offset)
    expect(end).toHaveLength(END_MEMBER_BYTES)
    expect(readMember(end)?.trailerAt).toBe(offset)
    expect(gunzipSync(end)).toHaveLength(0)
  }
})

test('a member is found among other bytes, and other gzip files are told apart', () => {
  const bytes = Buffer.concat([Buffer.from('\x1f\x8b\x08 noise', 'latin1'), gzipMember(PLAIN)])
  expect(findMember(bytes, 0)).toBe(9)
  expect(findMember(bytes, 10)).toBe(-1)
  expect(startsLikeMember(execFileSync('gzip', { input: PLAIN }))).toBe(false)
})
