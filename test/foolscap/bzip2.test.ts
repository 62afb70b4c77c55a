import { execFileSync, spawnSync } from 'node:child_process'
import { Bunzip } from '../../src/foolscap/bzip2'
import type { Damage } from '../../src/incident/damage'

jest.setTimeout(120_000)

/** 46 MB of zeros, and nothing at all, as libbzip2 packs them. */
const BOMB = Buffer.from(
  'QlpoOTFBWSZTWQ4J4t8BX45AAMAAAAggADCATUZCoCWpCoCXMUFZJlNZudCH0AAAxdAAwAAEAAAIIAAgpTQZjUhbBQvF3JFOFCQpcNCbgA==',
  'base64',
)
const NOTHING = Buffer.from('QlpoORdyRThQkAAAAAA=', 'base64')

const hasBzip2 = spawnSync('bzip2', ['--version'], { input: '' }).status === 0
/** Where bzip2 is not installed this is skipped; the fixtures of Foolscap are read everywhere. */
const testWithBzip2 = hasBzip2 ? test : test.skip

function packed(plain: Uint8Array, level = 1): Buffer {
  return execFileSync('bzip2', ['-c', `-${level}`], { input: plain, maxBuffer: 2 ** 28 })
}

function unpacked(bytes: Uint8Array, pieceBytes = bytes.length): { plain: Buffer; damage: Damage[] } {
  const bunzip = new Bunzip()
  const plain: Buffer[] = []
  const damage: Damage[] = []
  const take = (steps: ReturnType<Bunzip['push']>): void => {
    for (const step of steps) {
      if (step.kind === 'bytes') plain.push(Buffer.from(step.bytes))
      else damage.push(step.damage)
    }
  }
  for (let at = 0; at < bytes.length; at += pieceBytes) take(bunzip.push(bytes.subarray(at, at + pieceBytes)))
  take(bunzip.end())
  return { plain: Buffer.concat(plain), damage }
}

/** Bytes that are the same each time: noise, texts, or runs. */
function sample(kind: 'noise' | 'text' | 'runs', length: number): Buffer {
  let state = 12_345
  return Buffer.from(
    Array.from({ length }, (_, i) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
      if (kind === 'noise') return (state >> 16) & 0xff
      return kind === 'text' ? 97 + (((state >> 16) & 0xff) % 5) : Math.floor(i / (1 + (i % 700))) & 3
    }),
  )
}

describe('what bzip2 has packed', () => {
  testWithBzip2.each(['noise', 'text', 'runs'] as const)('%s of any length, at any level', (kind) => {
    for (const length of [1, 3, 4, 5, 255, 259, 260, 5000, 99_981, 100_000, 210_000]) {
      const plain = sample(kind, length)
      for (const level of [1, 9]) {
        const { plain: ours, damage } = unpacked(packed(plain, level), 10_007)
        expect(damage).toEqual([])
        expect(ours.equals(plain)).toBe(true)
      }
    }
  })

  testWithBzip2('several streams, and zeros behind them', () => {
    const streams = Buffer.concat([
      packed(Buffer.from('a')),
      NOTHING,
      packed(Buffer.from('b'), 9),
      Buffer.alloc(9),
    ])
    expect(unpacked(streams, 1)).toEqual({ plain: Buffer.from('ab'), damage: [] })
  })

  test('nothing', () => {
    expect(unpacked(NOTHING)).toEqual({ plain: Buffer.alloc(0), damage: [] })
  })
})

test('much out of little comes in small pieces', () => {
  const bunzip = new Bunzip()
  let length = 0
  let largest = 0
  for (const steps of [bunzip.push(BOMB), bunzip.end()]) {
    for (const step of steps) {
      if (step.kind !== 'bytes') throw new Error(step.damage.message)
      length += step.bytes.length
      largest = Math.max(largest, step.bytes.length)
    }
  }
  expect([length, largest <= 64 * 1024]).toEqual([46_000_000, true])
})

describe('damage', () => {
  testWithBzip2('costs one block', () => {
    const plain = sample('text', 500_000)
    const bytes = packed(plain)
    const middle = bytes.length >> 1
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 0x10, middle)
    const { plain: ours, damage } = unpacked(bytes)
    expect(ours.length).toBeGreaterThan(350_000)
    expect(damage).toMatchObject([{ what: 'corrupt', layer: 'gzip' }])
    expect(plain.subarray(0, 100_000).equals(ours.subarray(0, 100_000))).toBe(true)
    expect(plain.subarray(-90_000).equals(ours.subarray(-90_000))).toBe(true)
  })

  testWithBzip2('of a cut file is that it is cut', () => {
    const bytes = packed(sample('text', 250_000))
    const { plain, damage } = unpacked(bytes.subarray(0, bytes.length - 2000))
    expect(plain.length).toBeGreaterThan(150_000)
    expect(damage).toMatchObject([{ what: 'truncated', message: expect.stringContaining('cut') }])
  })

  testWithBzip2('behind the end is told', () => {
    const { plain, damage } = unpacked(Buffer.concat([packed(Buffer.from('a')), Buffer.from('rest')]))
    expect([plain.toString(), damage]).toMatchObject(['a', [{ what: 'corrupt', bytes: 4, eventsLost: 0 }]])
  })

  test('without end is searched for a while only', () => {
    const marks = Buffer.from('314159265359', 'hex')
    const bytes = Buffer.concat([Buffer.from('BZh9'), ...Array<Buffer>(300_000).fill(marks)])
    const { plain, damage } = unpacked(bytes, 65_536)
    expect(plain).toHaveLength(0)
    expect(damage.at(-1)?.message).toMatch(/not searched/)
  })
})
