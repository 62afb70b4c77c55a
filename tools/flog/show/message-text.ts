import type { LogEvent, Plain } from '../../../src/event/event'
import { messageText } from '../../../src/event/template'

/** Messages whose shape is remembered; what is made up anew for each event costs the others their place. */
const REMEMBERED = 1000
/** Longer ones are not remembered, and longer values take the long way, on which they are cut. */
const SHORT_CHARS = 1000

/** How a message is filled in, and which fields it shows. */
interface Shape {
  /** Text before, between and after the values; one more than there are names. Undefined: only `messageText` can tell. */
  readonly pieces: readonly string[] | undefined
  readonly names: readonly string[]
  readonly shown: ReadonlySet<string>
  /** Whether arguments by position may be shown. */
  readonly positional: boolean
}

const PLACEHOLDER = /\{([^{}\s"',:]{1,128})\}/g
/** What has another meaning than text in a message that is filled in; paths and keys of `$` alone are looked up apart. */
const INTRICATE = /\{\{|\}\}|%|\{[^{}\s"',:]*\.[^{}\s"',:]*\}|\{\$+\}/

/** Fills messages in as `messageText` does; programs log some hundred shapes again and again, and those are fast. */
export class MessageText {
  readonly #shapes = new Map<string, Shape>()

  shapeOf(message: string): Shape {
    const known = this.#shapes.get(message)
    if (known !== undefined) return known
    const shape = shapeOf(message)
    if (message.length <= SHORT_CHARS) {
      if (this.#shapes.size >= REMEMBERED) this.#shapes.clear()
      this.#shapes.set(message, shape)
    }
    return shape
  }

  fill(event: LogEvent, { pieces, names }: Shape): string {
    if (pieces === undefined) return messageText(event)
    if (names.length === 0) return event.message
    let text = pieces[0] ?? ''
    for (let i = 0; i < names.length; i++) {
      const value: Plain | undefined = event.fields[names[i] as string]
      if (typeof value === 'number' ? value === 0 : typeof value !== 'string' || value.length > SHORT_CHARS)
        return messageText(event)
      text += value + (pieces[i + 1] as string)
    }
    return text
  }
}

function shapeOf(message: string): Shape {
  const names = Array.from(message.matchAll(PLACEHOLDER), (match) => match[1] ?? '')
  const isSimple = !INTRICATE.test(message) && names.length <= SHORT_CHARS / 100
  return {
    pieces: isSimple ? message.split(PLACEHOLDER).filter((_, index) => index % 2 === 0) : undefined,
    names,
    shown: new Set(names),
    positional: message.includes('%'),
  }
}
