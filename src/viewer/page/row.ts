import type { ErrorRecord, LogEvent } from '../../event/event'
import { renderPlain } from '../../event/render'
import { bandName, severityName } from '../../event/severity'
import { ownFrame } from '../../event/stack'
import { fillTemplate } from '../../event/template'
import type { RecordedEvent } from '../../incident/parts'
import { grouped, messageLine, visible } from './text'

/** Characters of a line that can be seen on any screen. */
const SHOWN_CHARS = 600
const FIELDS_CHARS = 300
const FIELD_CHARS = 80

export interface RowLook {
  readonly time: string
  readonly fullTime: string
  readonly repeats: number
  /** Of a tree. */
  readonly branch: Branch | undefined
  readonly isSelected: boolean
  /** The trigger itself is not shown, and would stand above the line. */
  readonly isBehindTrigger: boolean
}

/** Where in a tree a line stands. */
export interface Branch {
  readonly depth: number
  /** Events below it. */
  readonly below: number
  readonly isCollapsed: boolean
}

/**
 * One line of the list. It is made once, and shows one event after the other; logged text only ever becomes the text of a
 * node.
 */
export class Row {
  readonly element = cell('div', 'row', 'row')
  readonly #time = cell('span', 'time', 'gridcell')
  readonly #severity = cell('span', 'sev', 'gridcell')
  readonly #facility = cell('span', 'fac', 'gridcell')
  readonly #message = cell('span', 'msg', 'gridcell')
  #shown: RecordedEvent | undefined
  #key = ''

  constructor() {
    this.element.append(this.#time, this.#severity, this.#facility, this.#message)
  }

  show(recorded: RecordedEvent, number: number, look: RowLook): void {
    const { branch } = look
    const place = branch === undefined ? '' : `${branch.depth} ${branch.below} ${branch.isCollapsed}`
    const key = `${number} ${look.time} ${look.repeats} ${place} ${look.isSelected} ${look.isBehindTrigger}`
    if (this.#shown === recorded && this.#key === key) return
    this.#key = key
    this.element.hidden = false
    this.element.id = `row-${number}`
    this.element.dataset['row'] = String(number)
    this.element.setAttribute('aria-rowindex', String(number + 1))
    this.element.setAttribute('aria-selected', String(look.isSelected))
    this.element.classList.toggle('behind-trigger', look.isBehindTrigger)
    this.#showBranch(branch)
    this.#time.textContent = look.time
    this.#time.title = look.fullTime
    if (this.#shown !== recorded) this.#showEvent(recorded)
    this.#shown = recorded
    this.#message.replaceChildren(...messageNodes(recorded, look))
  }

  hide(): void {
    this.element.hidden = true
    this.element.removeAttribute('id')
    this.element.removeAttribute('aria-selected')
    this.#shown = undefined
    this.#key = ''
  }

  #showBranch(branch: Branch | undefined): void {
    if (branch === undefined) this.element.removeAttribute('aria-level')
    else this.element.setAttribute('aria-level', String(branch.depth + 1))
    if (branch === undefined || branch.below === 0) this.element.removeAttribute('aria-expanded')
    else this.element.setAttribute('aria-expanded', String(!branch.isCollapsed))
  }

  #showEvent({ event, mark }: RecordedEvent): void {
    this.element.dataset['band'] = bandName(event.severity)
    this.element.dataset['mark'] = mark ?? ''
    this.#severity.textContent = severityName(event.severity)
    this.#facility.textContent = visible(event.facility)
    this.#facility.title = visible(event.facility)
  }
}

function cell(name: 'div' | 'span', className: string, role: string): HTMLElement {
  const element = document.createElement(name)
  element.className = className
  element.setAttribute('role', role)
  return element
}

function messageNodes({ event, mark }: RecordedEvent, look: RowLook): Node[] {
  const nodes: Node[] = []
  if (look.branch !== undefined) nodes.push(...branchNodes(look.branch))
  if (mark !== undefined) nodes.push(span('mark', mark === 'trigger' ? '▼ trigger' : '▽ further'))
  if (event.facility !== '') nodes.push(span('narrow-fac', `${visible(event.facility)} `))
  nodes.push(...valuesMarked(event))
  if (event.error !== undefined) nodes.push(span('err', errorLine(event.error)))
  const rest = remainingFields(event)
  if (rest !== '') nodes.push(span('rest', rest))
  if (look.repeats > 1) nodes.push(span('times', `×${grouped(look.repeats)}`))
  return nodes
}

/** `▾`, or with what is hidden `▸ 3`; a click on it is one on the branch. */
function branchNodes({ depth, below, isCollapsed }: Branch): Node[] {
  const indent = depth === 0 ? [] : [span('indent', '· '.repeat(depth))]
  if (below === 0) return indent
  const handle = span('branch', isCollapsed ? `▸ ${grouped(below)}` : '▾')
  handle.dataset['branch'] = ''
  return [...indent, handle]
}

const PLACEHOLDER = /(\{[^{}\s"',:]{1,128}\})/

/** The message, with what was filled in set apart. */
function valuesMarked(event: LogEvent): Node[] {
  const { message, fields, error } = event
  const isSimple = message.length < SHOWN_CHARS && !/\{\{|\}\}|%/.test(message) && message.includes('{')
  if (!isSimple) return [document.createTextNode(messageLine(event).slice(0, SHOWN_CHARS))]
  return message.split(PLACEHOLDER).map((piece, index) => {
    if (index % 2 === 0) return document.createTextNode(visible(piece))
    const filled = fillTemplate(piece, fields, error)
    return filled === piece
      ? document.createTextNode(visible(piece))
      : span('value', visible(filled.slice(0, SHOWN_CHARS)))
  })
}

function errorLine({ name, message, stack }: ErrorRecord): string {
  const frame = stack === undefined ? undefined : ownFrame(stack)
  const head = message === '' ? name : `${name}: ${message}`
  return visible(`${head.slice(0, FIELDS_CHARS)}${frame === undefined ? '' : `  at ${frame}`}`)
}

/** What the message does not say of the fields. */
function remainingFields({ message, fields }: LogEvent): string {
  const parts: string[] = []
  let chars = 0
  for (const [key, value] of Object.entries(fields)) {
    if (message.includes(`{${key}}`)) continue
    const part = `${visible(key)}=${renderPlain(value, FIELD_CHARS)}`
    chars += part.length
    parts.push(part)
    if (chars > FIELDS_CHARS) break
  }
  return parts.join('  ')
}

function span(className: string, text: string): HTMLElement {
  const element = document.createElement('span')
  element.className = className
  element.textContent = text
  return element
}
