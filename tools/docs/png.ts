import { crc32, deflateSync, inflateSync } from 'node:zlib'

/** Pixels of a picture, RGB, row by row. */
interface Picture {
  readonly width: number
  readonly height: number
  readonly pixels: Uint8Array
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const PALETTE = 256
const RGB = 2
const INDEXED = 3

/**
 * The same picture in at most 256 colours, a fifth of the size: pages of text have few. Colours that are left out become the
 * nearest that stays. After the PNG specification (https://www.w3.org/TR/png-3/).
 * @param png as Chromium takes screenshots: 8 bits of RGB or RGBA, not interlaced
 * @throws Error where it is something else
 */
export function inFewColours(png: Uint8Array): Buffer {
  const { width, height, pixels } = decoded(Buffer.from(png))
  const palette = commonColours(pixels)
  const indexes = new Map(palette.map((colour, index) => [colour, index]))
  const rows = Buffer.alloc((width + 1) * height)
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const colour = colourAt(pixels, at)
      const index = indexes.get(colour) ?? nearest(palette, colour)
      indexes.set(colour, index)
      rows[y * (width + 1) + x + 1] = index
    }
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, INDEXED, 0, 0, 0], 8)
  const colours = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]))
  const data = deflateSync(rows, { level: 9, memLevel: 9 })
  const chunks = [
    chunk('IHDR', head),
    chunk('PLTE', colours),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]
  return Buffer.concat([SIGNATURE, ...chunks])
}

function decoded(png: Buffer): Picture {
  if (!png.subarray(0, 8).equals(SIGNATURE)) throw new Error('this is no PNG')
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
  const [bits, type, , , interlaced] = png.subarray(24, 29)
  if (bits !== 8 || (type !== RGB && type !== 6) || interlaced !== 0)
    throw new Error('not a PNG as Chromium makes it')
  const parts: Buffer[] = []
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at)
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + length))
    at += length + 12
  }
  const channels = type === RGB ? 3 : 4
  const plain = unfiltered(inflateSync(Buffer.concat(parts)), width * channels, height, channels)
  const pixels = new Uint8Array(width * height * 3)
  for (let pixel = 0; pixel < width * height; pixel++)
    pixels.set(plain.subarray(pixel * channels, pixel * channels + 3), pixel * 3)
  return { width, height, pixels }
}

/** Each row says how its bytes were foretold from those beside and above. */
function unfiltered(data: Buffer, stride: number, height: number, channels: number): Uint8Array {
  const plain = new Uint8Array(stride * height)
  for (let y = 0; y < height; y++) {
    const filter = data[y * (stride + 1)] ?? 0
    for (let x = 0; x < stride; x++) {
      const at = y * stride + x
      const left = x < channels ? 0 : (plain[at - channels] ?? 0)
      const above = y === 0 ? 0 : (plain[at - stride] ?? 0)
      const corner = x < channels || y === 0 ? 0 : (plain[at - stride - channels] ?? 0)
      const foretold = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter] ?? 0
      plain[at] = (data[y * (stride + 1) + 1 + x] ?? 0) + foretold
    }
  }
  return plain
}

function paeth(left: number, above: number, corner: number): number {
  const guess = left + above - corner
  const [toLeft, toAbove, toCorner] = [left, above, corner].map((one) => Math.abs(guess - one)) as [
    number,
    number,
    number,
  ]
  if (toLeft <= toAbove && toLeft <= toCorner) return left
  return toAbove <= toCorner ? above : corner
}

function colourAt(pixels: Uint8Array, at: number): number {
  return ((pixels[at] ?? 0) << 16) | ((pixels[at + 1] ?? 0) << 8) | (pixels[at + 2] ?? 0)
}

/** Those that most pixels have; the rare ones of the edges of letters are close to some of them. */
function commonColours(pixels: Uint8Array): readonly number[] {
  const counts = new Map<number, number>()
  for (let at = 0; at < pixels.length; at += 3) {
    const colour = colourAt(pixels, at)
    counts.set(colour, (counts.get(colour) ?? 0) + 1)
  }
  const sorted = [...counts].sort(([, one], [, other]) => other - one)
  return sorted.slice(0, PALETTE).map(([colour]) => colour)
}

function nearest(palette: readonly number[], colour: number): number {
  let [best, distance] = [0, Number.POSITIVE_INFINITY]
  for (const [index, one] of palette.entries()) {
    const red = (one >> 16) - (colour >> 16)
    const green = ((one >> 8) & 255) - ((colour >> 8) & 255)
    const blue = (one & 255) - (colour & 255)
    const off = red * red + green * green + blue * blue
    if (off < distance) [best, distance] = [index, off]
  }
  return best
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const framed = Buffer.alloc(named.length + 8)
  framed.writeUInt32BE(data.length, 0)
  named.copy(framed, 4)
  framed.writeUInt32BE(crc32(named), named.length + 4)
  return framed
}
