import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { FlogError } from '../../src/base/errors'
import { DAMAGES, mutated } from './damage'
import { identityOf, isFull, readAll } from './reading'

const FIXTURES = join(__dirname, '../../fixtures/incident/v1')
const files = readdirSync(FIXTURES)
  .filter((name) => /\.incident\.flog(\.gz)?$/.test(name))
  .map((name): readonly [string, Uint8Array] => [
    name,
    // A copy: a Buffer's slices would be views.
    new Uint8Array(readFileSync(join(FIXTURES, name))),
  ])

/** Places of each file, for each kind of damage: all of them, or so many, spread evenly. */
const PLACES = isFull ? Number.POSITIVE_INFINITY : 12
const MUTATIONS = isFull ? 100_000 : 500
/** Beyond what the engine itself takes and gives back when it pleases. */
const MEMORY_BYTES = 128 * 1024 * 1024
/** Other suites ran in this process before, and what they hold is theirs. */
const heldBefore = heldBytes()
/** Full runs take long on purpose. */
jest.setTimeout(isFull ? 3_600_000 : 60_000)

/** Events of all files: damage may lose any of them, but never makes one up. */
const known = new Set<string>()

beforeAll(async () => {
  for (const [, bytes] of files) for (const event of await identities(bytes)) known.add(event)
})

async function identities(bytes: Uint8Array): Promise<readonly string[]> {
  const read = await readAll(bytes)
  return FlogError.is(read) ? [] : read.events.map(({ event }) => identityOf(event))
}

/** Not every place twice with the same damage: each damage begins somewhere else. */
function* places(length: number, offset: number): Generator<number> {
  const step = Math.max(1, length / PLACES)
  for (let place = (offset * step) / 10; place < length; place += step) yield Math.floor(place)
}

test.each(files)(
  '%s, damaged anywhere: refused with a reason, or read as far as it is whole',
  async (_, file) => {
    for (const [index, [kind, damage]] of Object.entries(DAMAGES).entries()) {
      for (const at of places(file.length, index)) {
        const made = (await identities(damage(file, at))).filter((event) => !known.has(event))
        if (made.length > 0) throw new Error(`${kind} at ${at}: read ${made[0]}, which was never logged`)
      }
    }
  },
)

test('mutations of all kinds, in any number: the same', async () => {
  const edit = fc.record({
    place: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    remove: fc.oneof(fc.constant(0), fc.nat(8), fc.nat(600)),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      // A piece of another file: whole blocks and members where they do not belong.
      fc.tuple(fc.nat(files.length - 1), fc.nat(2000), fc.nat(800)).map(([index, at, length]) => {
        const [, bytes] = files[index] as (typeof files)[number]
        return bytes.slice(at % bytes.length, (at % bytes.length) + length)
      }),
    ),
  })
  const start = fc.nat(files.length - 1)
  const chunk = fc.constantFrom(1, 7, 100, 65_536)
  await fc.assert(
    fc.asyncProperty(
      start,
      fc.array(edit, { minLength: 1, maxLength: 8 }),
      chunk,
      async (index, edits, size) => {
        const [, bytes] = files[index] as (typeof files)[number]
        await readAll(mutated(bytes, edits), size)
      },
    ),
    { numRuns: MUTATIONS, endOnFailure: !isFull },
  )
})

test('none of it keeps memory', () => {
  expect(heldBytes() - heldBefore).toBeLessThan(MEMORY_BYTES)
})

/** Bytes outside of the heap that are still in use. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const { arrayBuffers, external } = process.memoryUsage()
  return arrayBuffers + external
}
