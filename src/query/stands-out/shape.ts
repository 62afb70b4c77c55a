/** What messages of one kind have in common. */
export interface Shape {
  readonly facility: string
  /** Template, or text with `…` for what differs from one to the next. */
  readonly message: string
  /** The message was logged exactly so, each time. */
  readonly isConstant: boolean
}

const MESSAGE_CHARS = 300
/** Texts that are remembered: a program that logs no templates has no end of them. */
const REMEMBERED = 20_000

/** A field of a template, such as `{orderId}` and `%s`: the others are put in by readers. */
const TEMPLATE = /\{[^{}\s"',:]{1,128}\}|%[sdifjoO]/
/** What is quoted, and each word with a digit in it: numbers, ids, addresses, times. */
const VARIABLE =
  /"(?:[^"\\\n]|\\.){0,200}"|`[^`\n]{0,200}`|(?<!\w)'[^'\n]{0,200}'(?!\w)|[^\s"'`=:,;()[\]{}]*\d[^\s"'`,;()[\]{}]*/g

/** Gives events of the same facility and kind of message the same number, from 0. */
export class Shapes {
  readonly #list: Shape[] = []
  readonly #byFacility = new Map<string, Map<string, number>>()
  readonly #known = new Map<string, Pick<Shape, 'message' | 'isConstant'>>()

  get list(): readonly Shape[] {
    return this.#list
  }

  numberOf(facility: string, message: string): number {
    const { message: kind, isConstant } = this.#kindOf(message)
    let shapes = this.#byFacility.get(facility)
    if (shapes === undefined) {
      shapes = new Map()
      this.#byFacility.set(facility, shapes)
    }
    const known = shapes.get(kind)
    if (known !== undefined) return known
    shapes.set(kind, this.#list.length)
    return this.#list.push({ facility, message: kind, isConstant }) - 1
  }

  #kindOf(message: string): Pick<Shape, 'message' | 'isConstant'> {
    const known = this.#known.get(message)
    if (known !== undefined) return known
    const kind = kindOf(message)
    if (this.#known.size < REMEMBERED) this.#known.set(message, kind)
    return kind
  }
}

function kindOf(message: string): Pick<Shape, 'message' | 'isConstant'> {
  const isWhole = message.length <= MESSAGE_CHARS
  if (isWhole && TEMPLATE.test(message)) return { message, isConstant: true }
  const kind = message.slice(0, MESSAGE_CHARS).replace(VARIABLE, '…')
  return { message: kind, isConstant: isWhole && kind === message }
}
