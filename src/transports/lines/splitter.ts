const LF = 10
const CR = 13

/** One line of output, without its end. */
export interface RawLine {
  /** UTF-8 decoded; what is none became U+FFFD. */
  readonly text: string
  /** Bytes at the end of the line that were let go, because it was over the limit. */
  readonly cut: number
}

/**
 * Cuts a stream of bytes into lines, ended by LF or CR LF. Holds at most one line, of at most `maxBytes`; of a longer one
 * it keeps the beginning and counts the rest.
 */
export class LineSplitter {
  readonly #maxBytes: number
  #pieces: Uint8Array[] = []
  #held = 0
  #cut = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** The lines that end in this chunk. */
  push(chunk: Uint8Array): RawLine[] {
    const lines: RawLine[] = []
    let from = 0
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, from)) {
      this.#hold(chunk.subarray(from, end))
      lines.push(this.#take())
      from = end + 1
    }
    if (from < chunk.length) this.#hold(chunk.subarray(from))
    return lines
  }

  /** The last line, where the stream did not end with a line end. */
  end(): RawLine[] {
    return this.#held + this.#cut === 0 ? [] : [this.#take()]
  }

  #hold(piece: Uint8Array): void {
    const kept = piece.subarray(0, this.#maxBytes - this.#held)
    this.#cut += piece.length - kept.length
    this.#held += kept.length
    if (kept.length > 0) this.#pieces.push(kept)
  }

  #take(): RawLine {
    const bytes = this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces)
    const line = decode(bytes ?? new Uint8Array(0), this.#cut)
    this.#pieces = []
    this.#held = 0
    this.#cut = 0
    return line
  }
}

function decode(bytes: Uint8Array, cut: number): RawLine {
  let end = bytes.length
  if (cut > 0) end = characterBoundary(bytes)
  else if (bytes[end - 1] === CR) end--
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, end).toString('utf8')
  return { text, cut: cut === 0 ? 0 : cut + bytes.length - end }
}

/** Where the last whole UTF-8 character ends: a cut must not make half a one. */
function characterBoundary(bytes: Uint8Array): number {
  let start = bytes.length - 1
  while (start > 0 && start > bytes.length - 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start--
  const lead = bytes[start] ?? 0
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1
  return start + length <= bytes.length ? bytes.length : start
}
