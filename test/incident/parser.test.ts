import { resolve } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { build } from 'esbuild'
import fc from 'fast-check'
import { gzipEnd, gzipMember } from '../../src/incident/gzip'
import { BLOCK_HEAD_BYTES, BlockFlag } from '../../src/incident/layout'
import { putMemberHead } from '../../src/incident/member'
import { nodeEngine } from '../../src/incident/node-engine'
import { buildFile, type FileSketch, gzipFile, plainFile, sealed } from '../../tools/fixtures/incident-file'
import { errorOf, parsed } from './parsing'

const event = fc.record({
  severity: fc.integer({ min: 1, max: 24 }),
  message: fc.string({ unit: 'grapheme' }),
  facility: fc.string(),
  fields: fc.dictionary(
    fc.string(),
    fc.oneof(fc.string(), fc.boolean(), fc.double({ noNaN: true }), fc.constant(null)),
  ),
})
const sketch: fc.Arbitrary<FileSketch> = fc.record({
  name: fc.string(),
  history: fc.array(fc.array(event, { minLength: 1, maxLength: 5 }), { maxLength: 5 }),
  trigger: event,
  after: fc.array(event, { maxLength: 3 }),
  trailer: fc.boolean(),
})

test('every event is read as it was written, plain and compressed, in chunks of any size', () => {
  fc.assert(
    fc.property(
      sketch,
      fc.integer({ min: 1, max: 3000 }),
      fc.integer({ min: 64, max: 5000 }),
      (file, chunk, member) => {
        const built = buildFile(file)
        const plain = plainFile(built)
        for (const bytes of [plain, gzipFile(plain, member)]) {
          const read = parsed(bytes, {}, chunk)
          expect(read.events).toEqual(built.events)
          expect(read.damage).toEqual([])
          expect(read.verdict?.state).toBe(file.trailer ? 'whole' : 'open')
        }
      },
    ),
    { numRuns: 60 },
  )
})

const FILE = buildFile({ name: 'parser test', history: [[{}, {}]], after: [{}, { further: 'again' }] })
const PLAIN = plainFile(FILE)

test('the trigger and further triggers are marked', () => {
  expect([...parsed(PLAIN).marks]).toEqual([
    [1002, 'trigger'],
    [1004, 'further'],
  ])
})

test('the verdict of a whole file says how much there is', () => {
  const { verdict } = parsed(gzipFile(PLAIN))
  const counts = { events: 5, eventsLost: 0, plainBytes: PLAIN.length, wholeBytes: PLAIN.length }
  expect(verdict).toMatchObject({ state: 'whole', ...counts, hasHeader: true, hasTrailer: true, damage: [] })
  expect(verdict?.sync).toEqual(FILE.sync)
})

test('events can be counted without being decoded', () => {
  const read = parsed(PLAIN, { events: 'count' })
  expect(read.events).toEqual([])
  expect(read.verdict).toMatchObject({ state: 'whole', events: 5, eventsLost: 0 })
})

test('seqs may come twice and in any order', () => {
  const opening = Buffer.from(FILE.opening)
  const blocks = [...FILE.blocks, ...FILE.blocks].toReversed()
  const read = parsed(Buffer.concat([opening, ...blocks]))
  expect(read.events.map(({ seq }) => seq)).toEqual([
    1004, 1003, 1002, 1000, 1001, 1004, 1003, 1002, 1000, 1001,
  ])
  expect(read.verdict?.state).toBe('open')
})

test('plain bytes are shown to who wants to check them', () => {
  for (const bytes of [PLAIN, gzipFile(PLAIN, 300)]) {
    const seen: Buffer[] = []
    parsed(bytes, { onPlain: (plain) => seen.push(Buffer.from(plain)) }, 100)
    expect(Buffer.concat(seen)).toEqual(PLAIN)
  }
})

test('a block whose length nobody believes is passed over', () => {
  const bomb = Buffer.from(sealed(FILE.sync, 2, 0, new Uint8Array(100)))
  bomb.writeUInt32LE(0xfffffffc, 20)
  const read = parsed(Buffer.concat([FILE.opening, bomb, ...FILE.blocks]))
  expect(read.events).toHaveLength(5)
  expect(read.verdict).toMatchObject({ state: 'corrupt' })
})

test('a member whose length nobody believes is passed over', () => {
  const bomb = Buffer.from(gzipMember(new Uint8Array(100)))
  bomb.writeUInt32LE(0xffffffff, 16)
  bomb.writeUInt32LE(0xffffffff, 20)
  const read = parsed(Buffer.concat([gzipMember(PLAIN), bomb, gzipMember(FILE.blocks[0]!), gzipEnd(0)]))
  expect(read.events).toHaveLength(7)
  expect(read.verdict?.state).toBe('corrupt')
})

test('a member that makes more than it says is not inflated any further', () => {
  const data = deflateRawSync(Buffer.alloc(200_000_000))
  const bomb = Buffer.concat([Buffer.alloc(24), data, Buffer.alloc(8)])
  putMemberHead(bomb, bomb.length, 1000)
  const before = process.memoryUsage().arrayBuffers
  const read = parsed(Buffer.concat([gzipMember(PLAIN), bomb, gzipEnd(0)]))
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32_000_000)
  expect(read.events).toHaveLength(5)
  expect(read.verdict?.state).toBe('corrupt')
})

test('reading stops at the limit of plain bytes', () => {
  expect(errorOf(gzipFile(PLAIN), { maxPlainBytes: PLAIN.length - 1 })).toBe('FLOG_FILE_TOO_LARGE')
  expect(errorOf(gzipFile(PLAIN), { maxPlainBytes: PLAIN.length })).toBeUndefined()
  expect(errorOf(PLAIN, { maxPlainBytes: PLAIN.length - 1 })).toBe('FLOG_FILE_TOO_LARGE')
})

describe('a file made to be searched for ever is given up before the work is more than the limit', () => {
  const salvageBytes = 32 * 1024 * 1024
  let work = 0
  beforeEach(() => {
    work = 0
    const { crc32, inflatePartly } = nodeEngine
    jest.spyOn(nodeEngine, 'crc32').mockImplementation((bytes, start) => {
      work += bytes.length
      return crc32(bytes, start)
    })
    jest.spyOn(nodeEngine, 'inflatePartly').mockImplementation((data, maxBytes) => {
      work += maxBytes
      return inflatePartly(data, maxBytes)
    })
  })
  afterEach(() => jest.restoreAllMocks())

  test('plain: heads of blocks that are none', () => {
    const head = Buffer.from(sealed(FILE.sync, 2, 0, new Uint8Array(0)))
    head.writeUInt32LE(4 * 1024 * 1024, 20)
    const hostile = Buffer.concat([FILE.opening, Buffer.alloc(6_000_000, head)])
    expect(parsed(hostile, { salvageBytes }).verdict).toMatchObject({ state: 'corrupt', events: 0 })
    expect(work).toBeGreaterThan(salvageBytes / 2)
    expect(work).toBeLessThan(salvageBytes * 2)
  })

  test('compressed: heads of members that are none', () => {
    const head = Buffer.alloc(64, 0x55)
    putMemberHead(head, 1_000_000, 1_000_000)
    const hostile = Buffer.concat([gzipMember(PLAIN), Buffer.alloc(3_000_000, head)])
    const { verdict } = parsed(hostile, { salvageBytes })
    expect(verdict).toMatchObject({ state: 'corrupt', events: 5 })
    expect(verdict?.damage.map(({ message }) => message)).toContain('too much damage to search any further')
    expect(work).toBeGreaterThan(salvageBytes / 2)
    expect(work).toBeLessThan(salvageBytes * 2)
  })
})

test('damages beyond a hundred are counted, not kept', () => {
  const broken = Buffer.from(sealed(FILE.sync, 2, 0, Buffer.from('no event')))
  const whole = FILE.blocks[0] ?? new Uint8Array(0)
  broken[50] = 0
  const read = parsed(Buffer.concat([FILE.opening, ...Array(150).fill([broken, whole]).flat()]))
  expect(read.damage).toHaveLength(150)
  expect(read.verdict?.damage).toHaveLength(100)
  expect(read.verdict?.damageOmitted).toBe(50)
})

test('a block that holds something else than events costs only those that are none', () => {
  const payload = Buffer.concat([
    Buffer.from([4, 0, 0, 0, 1, 2, 3, 4]),
    FILE.blocks[1]!.subarray(BLOCK_HEAD_BYTES),
  ])
  const read = parsed(Buffer.concat([FILE.opening, sealed(FILE.sync, 2, BlockFlag.trigger, payload)]))
  expect(read.events.map(({ seq }) => seq)).toEqual([1002])
  expect(read.damage).toMatchObject([{ what: 'corrupt', eventsLost: 1 }])
})

test('a header that lacks what readers rely on is damage, and its events are read', () => {
  const file = buildFile({ name: 'odd header', history: [[{}]], header: { trigger: { kind: 'event' } } })
  const read = parsed(plainFile(file))
  expect(read.header).toBeUndefined()
  expect(read.damage[0]?.message).toContain('header.trigger.reason')
  expect(read.events).toHaveLength(2)
})

test('the parser needs nothing of Node', async () => {
  const entryPoints = [resolve(__dirname, '../../src/incident/parser.ts')]
  const { metafile } = await build({
    entryPoints,
    bundle: true,
    platform: 'browser',
    write: false,
    metafile: true,
  })
  expect(Object.keys(metafile.inputs).length).toBeGreaterThan(5)
})
