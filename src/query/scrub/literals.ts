import { REDACTED } from '../../base/secret-names'

/** Shorter ones stand in too many other places. */
const MIN_CHARS = 4
/** Values that are remembered, and the characters in them: more is not one secret but a whole column. */
const MAX_VALUES = 100_000
const MAX_CHARS = 16 * 1024 * 1024
const WORD = /[\p{L}\p{N}]/u
/** Sums of first characters that are told apart. */
const SUMS = 0x1_0000

/**
 * Values that were taken out somewhere, to be taken out wherever else they stand: in a message that was filled in when it was
 * logged, in the stack of an error. A value inside of a longer word is another word.
 */
export class Literals {
  readonly #byStart = new Map<string, Group>()
  /** Which sums there are of first characters: most places of a text are passed over by this alone. */
  readonly #sums = new Uint8Array(SUMS)
  #values = 0
  #chars = 0
  #forgotten = 0

  /** Times that a value was added where no more can be remembered. */
  get forgotten(): number {
    return this.#forgotten
  }

  add(value: string): void {
    if (value.length < MIN_CHARS || value === REDACTED) return
    const start = value.slice(0, MIN_CHARS)
    const group = this.#byStart.get(start) ?? { values: new Set(), lengths: [] }
    if (group.values.has(value)) return
    if (this.#values >= MAX_VALUES || this.#chars + value.length > MAX_CHARS) {
      this.#forgotten++
      return
    }
    this.#values++
    this.#chars += value.length
    group.values.add(value)
    if (!group.lengths.includes(value.length)) group.lengths.push(value.length)
    group.lengths.sort((a, b) => b - a)
    this.#byStart.set(start, group)
    this.#sums[sumAt(value, 0)] = 1
  }

  /** The text without them. */
  without(text: string): string {
    if (this.#values === 0) return text
    let kept = ''
    let from = 0
    for (let at = 0; at + MIN_CHARS <= text.length; at++) {
      if (this.#sums[sumAt(text, at)] === 0 || joins(text, at - 1, at)) continue
      const end = this.#endOf(text, at)
      if (end === undefined) continue
      kept += text.slice(from, at) + REDACTED
      from = end
      at = end - 1
    }
    return from === 0 ? text : kept + text.slice(from)
  }

  /** Where the longest value ends that stands at `at`. */
  #endOf(text: string, at: number): number | undefined {
    const group = this.#byStart.get(text.slice(at, at + MIN_CHARS))
    const length = group?.lengths.find((chars) => {
      return group.values.has(text.slice(at, at + chars)) && !joins(text, at + chars - 1, at + chars)
    })
    return length === undefined ? undefined : at + length
  }
}

/** Values with the same first characters; there may be very many, of few lengths. */
interface Group {
  readonly values: Set<string>
  /** The longest first. */
  readonly lengths: number[]
}

function sumAt(text: string, at: number): number {
  let sum = 0
  for (let i = at; i < at + MIN_CHARS; i++) sum = (sum * 37 + text.charCodeAt(i)) & (SUMS - 1)
  return sum
}

/** Whether the two characters belong to one word. */
function joins(text: string, before: number, after: number): boolean {
  return isOfWord(text, before) && isOfWord(text, after)
}

function isOfWord(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  if (code > 0x7f) return WORD.test(text.charAt(at))
  return (code >= 0x30 && code <= 0x39) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a)
}
