import type { Damage } from '../../../src/incident/damage'
import type { IncidentHeader } from '../../../src/incident/header'
import type { RecordedEvent } from '../../../src/incident/parts'
import type { Output } from '../output'
import { EventText } from '../show/event-text'
import { headerLines, trailerLines, verdictLine } from '../show/incident-text'
import { RecordingJudge } from '../show/recording-text'
import { formatTime, type TimeMode } from '../show/time'
import { count, grouped } from '../show/words'
import type { Style } from '../style'
import { clip, escapeLine } from '../terminal'
import { HeldHistory } from './held-history'
import { treeOf } from './tree'
import type { DumpedFile, Target } from './write-parts'

export interface TextOptions {
  readonly mode: TimeMode
  /** Events below what caused them, instead of in their order. */
  readonly tree?: boolean
  /** Files are merged: each line says of which it is. */
  readonly merged?: boolean
  /** Events are shown when they come: nothing is held back to look at it as a whole. */
  readonly live?: boolean
  /** Some events are left out on purpose. */
  readonly selects?: boolean
}

const LABEL_CHARS = 24

/** Files as text for people. */
export function textTarget(out: Output, style: Style, options: TextOptions): Target {
  return new TextTarget(out, style, options)
}

class TextTarget implements Target {
  readonly #out: Output
  readonly #style: Style
  readonly #options: TextOptions
  readonly #judges = new Map<DumpedFile, RecordingJudge>()
  readonly #labels = new Map<DumpedFile, string>()
  #text: EventText
  /** Seconds of merged files count from the trigger of the first one. */
  #origin: IncidentHeader | undefined
  #held: HeldHistory | undefined

  constructor(out: Output, style: Style, options: TextOptions) {
    this.#out = out
    this.#style = style
    this.#options = options
    this.#text = this.#newText()
  }

  header(file: DumpedFile): void {
    const { header } = file
    if (header === undefined) return
    const { tree, merged, live, mode } = this.#options
    if (merged !== true || this.#origin === undefined) this.#origin = header
    if (merged !== true) this.#text = this.#newText()
    this.#text.widen([header.trigger.event])
    const lines = headerLines(header, this.#style, mode)
    if (merged === true) lines.splice(1, 0, this.#labelLine(file))
    this.#out.write(`${lines.join('\n')}\n\n`)
    if (tree === true) this.#held = HeldHistory.forTree()
    else if (merged !== true && live !== true) this.#held = HeldHistory.forFindings(header)
  }

  events(selected: readonly RecordedEvent[], file: DumpedFile, all: readonly RecordedEvent[]): void {
    this.#judgeOf(file).see(all)
    this.#text.widen(all.map(({ event }) => event))
    if (this.#held === undefined) this.#write(selected, file)
    else if (!this.#held.take(selected, all)) this.#release(file)
  }

  damage(damage: Damage, file: DumpedFile): void {
    this.#release(file)
    const label = this.#options.merged === true ? `${this.#style.bold(this.#label(file))} ` : ''
    this.#out.line(`${label}${this.#style.bad(`  ⋯ ${missingText(damage)}`)}`)
  }

  verdict(verdict: Parameters<NonNullable<Target['verdict']>>[0], file: DumpedFile): void {
    this.#release(file)
    const { header, trailer } = file
    const style = this.#style
    const lines = [
      ...(this.#options.merged === true ? [`${this.#label(file)}:`.trim()] : []),
      ...(this.#options.selects === true
        ? [`${grouped(file.selected)} of ${count(file.events, 'event')} shown`]
        : []),
      ...(trailer === undefined ? [] : trailerLines(header, trailer, style)),
      ...this.#judgeOf(file).lines(header, style),
      verdictLine(verdict, style, header),
    ]
    this.#out.write(`\n${lines.join('\n')}\n`)
    this.#judges.delete(file)
    if (this.#options.merged !== true) this.#origin = undefined
  }

  /** Shows what was held back, below what stands out in it. */
  #release(file: DumpedFile): void {
    const held = this.#held
    if (held === undefined) return
    this.#held = undefined
    for (const line of held.findingLines(file, this.#style)) this.#out.line(line)
    if (!held.isTree) this.#write(held.selected, file)
    else
      for (const { recorded, branch, below } of treeOf(held.selected))
        this.#out.write(this.#text.render(recorded.event, recorded.mark, branch, below))
  }

  #write(selected: readonly RecordedEvent[], file: DumpedFile): void {
    if (this.#options.merged === true) this.#writeLabelled(selected, file)
    else for (const { event, mark } of selected) this.#out.write(this.#text.render(event, mark))
  }

  #writeLabelled(selected: readonly RecordedEvent[], file: DumpedFile): void {
    const widest = Math.max(...[...this.#labels.values()].map((label) => label.length), 0)
    const label = `${this.#style.bold(this.#label(file).padEnd(widest))} `
    for (const { event, mark } of selected) {
      const lines = this.#text.render(event, mark).trimEnd().split('\n')
      this.#out.write(lines.map((line) => `${label}${line}\n`).join(''))
    }
  }

  #labelLine(file: DumpedFile): string {
    const label = this.#style.bold(this.#label(file))
    return `  ${this.#style.dim('below as'.padEnd(10))} ${label}  ${this.#style.dim(escapeLine(file.path))}`
  }

  /** The service where that tells the files apart, else the name of the file. */
  #label(file: DumpedFile): string {
    const known = this.#labels.get(file)
    if (known !== undefined) return known
    const { header, path } = file
    const taken = new Set(this.#labels.values())
    const names = [
      ...(header === undefined ? [] : [header.service, `${header.service}/${header.pid}`, header.id]),
      path,
    ].map((name) => clip(name, LABEL_CHARS))
    const label = names.find((name) => name !== '' && !taken.has(name)) ?? `${this.#labels.size + 1}`
    this.#labels.set(file, label)
    return label
  }

  #judgeOf(file: DumpedFile): RecordingJudge {
    const known = this.#judges.get(file)
    if (known !== undefined) return known
    const judge = new RecordingJudge()
    this.#judges.set(file, judge)
    return judge
  }

  #newText(): EventText {
    const { mode } = this.#options
    return new EventText(this.#style, (event) => {
      // Without its header a file does not say when the trigger was.
      const origin = this.#origin
      return formatTime(
        origin === undefined && mode === 'relative' ? 'utc' : mode,
        event.time,
        origin?.trigger.event.time ?? 0,
      )
    })
  }
}

function missingText({ what, eventsLost }: Damage): string {
  if (what === 'truncated') return 'the file ends here'
  if (eventsLost === 0) return 'damage, but no event is lost by it'
  return eventsLost === undefined
    ? 'damage: events may be missing here'
    : `damage: ${count(eventsLost, 'event')} missing here`
}
