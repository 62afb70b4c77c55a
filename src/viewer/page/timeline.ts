import { SEVERITY_BANDS } from '../../event/severity'
import { oncePerFrame } from './frame'
import type { Store } from './store'
import { axisTime, clockTime, counted } from './text'
import { type Range, ticksOf, usualRange, wholeRange } from './time-range'

const AXIS_PX = 28
const LABEL_PX = 14
const BAND_PX = 20
const BAR_PX = 3
const DRAG_PX = 4
const SIGN_PX = 11

export interface TimelineHost {
  onZoom(range: Range | undefined): void
  /** A moment was pointed at: microseconds since the epoch. */
  onPick(time: number): void
}

/** What the canvas shows, from fatal down to trace, left to right in time. */
export class Timeline {
  readonly redraw = oncePerFrame(() => this.#draw())
  readonly #host: TimelineHost
  readonly #canvas: HTMLCanvasElement
  #store: Store | undefined
  #usual: { readonly store?: Store; readonly length: number; readonly range: Range } = {
    length: 0,
    range: [0, 1],
  }
  #isMatch: Uint8Array | undefined
  #range: Range = [0, 1]
  #seen: Range | undefined
  #brush: Range | undefined
  #bins: Bins | undefined

  constructor(canvas: HTMLCanvasElement, host: TimelineHost) {
    this.#host = host
    this.#canvas = canvas
    new ResizeObserver(() => this.redraw()).observe(canvas)
    for (const query of ['(prefers-color-scheme: dark)', '(resolution: 1dppx)'])
      matchMedia(query).addEventListener('change', () => this.redraw())
    this.#listen()
  }

  get range(): Range {
    return this.#range
  }

  /** Bands that have events, the worst first. */
  static bandsOf(store: Store): readonly number[] {
    return [5, 4, 3, 2, 1, 0].filter((band) => (store.bandCounts[band] ?? 0) > 0)
  }

  /** @param matching indexes of the events that the filter leaves; absent: all of them */
  show(store: Store, zoom: Range | undefined, matching: Int32Array | undefined): void {
    this.#store = store
    if (this.#usual.store !== store || this.#usual.length !== store.length)
      this.#usual = { store, length: store.length, range: usualRange(store) }
    this.#range = zoom ?? this.#usual.range
    this.#isMatch = undefined
    if (matching !== undefined && matching.length < store.length) {
      this.#isMatch = new Uint8Array(store.length)
      for (const index of matching) this.#isMatch[index] = 1
    }
    this.#bins = undefined
    const bands = Timeline.bandsOf(store)
    this.#canvas.style.height = `${AXIS_PX + BAND_PX * Math.max(1, bands.length)}px`
    this.#canvas.setAttribute('aria-label', describe(store))
    this.redraw()
  }

  /** The part of time that the list shows now. */
  mark(seen: Range | undefined): void {
    this.#seen = seen
    this.redraw()
  }

  /** Halves or doubles what is shown, around a moment. */
  zoomBy(factor: number, around: number): void {
    const store = this.#store
    if (store === undefined) return
    const [from, to] = this.#range
    const middle = around < from || around > to ? (from + to) / 2 : around
    const [least, most] = wholeRange(store)
    const next: Range = [
      Math.max(least, middle - (middle - from) * factor),
      Math.min(most, middle + (to - middle) * factor),
    ]
    if (next[1] - next[0] < 10) return
    this.#host.onZoom(next[0] === least && next[1] === most && factor > 1 ? wholeRange(store) : next)
  }

  #listen(): void {
    const canvas = this.#canvas
    let from: number | undefined
    canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return
      from = event.offsetX
      canvas.setPointerCapture(event.pointerId)
    })
    canvas.addEventListener('pointermove', (event) => {
      if (from === undefined) return
      this.#brush = [Math.min(from, event.offsetX), Math.max(from, event.offsetX)]
      this.redraw()
    })
    canvas.addEventListener('pointerup', (event) => {
      if (from === undefined) return
      const [left, right] = [Math.min(from, event.offsetX), Math.max(from, event.offsetX)]
      from = undefined
      this.#brush = undefined
      if (right - left < DRAG_PX) this.#host.onPick(this.#timeAt(left))
      else this.#host.onZoom([this.#timeAt(left), this.#timeAt(right)])
      this.redraw()
    })
    canvas.addEventListener('dblclick', () => this.#host.onZoom(undefined))
    canvas.addEventListener(
      'wheel',
      (event) => {
        if (!event.ctrlKey) return
        event.preventDefault()
        this.zoomBy(event.deltaY > 0 ? 1.25 : 0.8, this.#timeAt(event.offsetX))
      },
      { passive: false },
    )
  }

  #timeAt(x: number): number {
    const [from, to] = this.#range
    return from + (x / Math.max(1, this.#canvas.clientWidth)) * (to - from)
  }

  #draw(): void {
    const store = this.#store
    const context = this.#canvas.getContext('2d')
    if (store === undefined || store.length === 0 || context === null) return
    const width = this.#canvas.clientWidth
    const height = this.#canvas.clientHeight
    const ratio = devicePixelRatio
    if (width === 0) return
    if (
      this.#canvas.width !== Math.round(width * ratio) ||
      this.#canvas.height !== Math.round(height * ratio)
    ) {
      this.#canvas.width = Math.round(width * ratio)
      this.#canvas.height = Math.round(height * ratio)
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    context.clearRect(0, 0, width, height)
    // Counted anew only where something else is shown: the list scrolls sixty times a second.
    const count = Math.max(1, Math.floor(width / BAR_PX))
    if (this.#bins?.count !== count) this.#bins = binned(store, this.#range, count, this.#isMatch)
    new Drawing(context, store, this.#range, width, height).all(this.#bins, this.#seen, this.#brush)
  }
}

/** One picture. */
class Drawing {
  readonly #context: CanvasRenderingContext2D
  readonly #store: Store
  readonly #range: Range
  readonly #width: number
  readonly #height: number
  readonly #style: CSSStyleDeclaration

  constructor(context: CanvasRenderingContext2D, store: Store, range: Range, width: number, height: number) {
    this.#context = context
    this.#store = store
    this.#range = range
    this.#width = width
    this.#height = height
    this.#style = getComputedStyle(context.canvas)
  }

  all(bins: Bins, seen: Range | undefined, brush: Range | undefined): void {
    const bands = Timeline.bandsOf(this.#store)
    if (seen !== undefined) this.#area(this.#x(seen[0]), this.#x(seen[1]), '--seen')
    this.#axis()
    this.#evicted(bands)
    this.#bars(bands, bins)
    this.#damage()
    this.#triggers()
    if (brush !== undefined) this.#area(brush[0], brush[1], '--brush')
  }

  #x(time: number): number {
    const [from, to] = this.#range
    return ((time - from) / (to - from)) * this.#width
  }

  #colour(name: string): string {
    return this.#style.getPropertyValue(name)
  }

  #area(left: number, right: number, colour: string): void {
    this.#context.fillStyle = this.#colour(colour)
    this.#context.fillRect(left, AXIS_PX, Math.max(2, right - left), this.#height - AXIS_PX)
  }

  #axis(): void {
    const context = this.#context
    const trigger = this.#store.triggerTime
    context.font = `11px ${this.#style.fontFamily}`
    context.textBaseline = 'middle'
    for (const tick of ticksOf(this.#range, trigger ?? 0, this.#width)) {
      const x = Math.round(this.#x(tick)) + 0.5
      context.fillStyle = this.#colour('--line')
      context.fillRect(x, AXIS_PX, 1, this.#height - AXIS_PX)
      const text = trigger === undefined ? clockTime(tick, 'local') : axisTime(tick - trigger)
      const room = context.measureText(text).width
      context.fillStyle = this.#colour('--dim')
      context.fillText(text, Math.min(this.#width - room - 2, Math.max(2, x - room / 2)), LABEL_PX / 2 + 1)
    }
  }

  /** What a ring had to let go is not known: the time before its oldest event is hatched. */
  #evicted(bands: readonly number[]): void {
    for (const ring of this.#store.header?.rings ?? []) {
      if (ring.evicted === 0 || ring.facility !== '' || ring.oldest === 0) continue
      const row = bands.indexOf((SEVERITY_BANDS as readonly string[]).indexOf(ring.severity))
      const right = Math.min(this.#width, this.#x(ring.oldest))
      if (row !== -1 && right > 0) this.#hatch(0, right, AXIS_PX + row * BAND_PX, BAND_PX)
    }
  }

  #hatch(left: number, right: number, top: number, height: number): void {
    const context = this.#context
    context.save()
    context.beginPath()
    context.rect(left, top + 1, right - left, height - 2)
    context.clip()
    context.strokeStyle = this.#colour('--hatch')
    context.lineWidth = 1
    context.beginPath()
    for (let x = left - height; x < right; x += 6) {
      context.moveTo(x, top + height)
      context.lineTo(x + height, top)
    }
    context.stroke()
    context.restore()
  }

  #bars(bands: readonly number[], { count, all, matching }: Bins): void {
    for (const [row, band] of bands.entries()) {
      const bottom = AXIS_PX + (row + 1) * BAND_PX
      const counts = all.subarray(band * count, (band + 1) * count)
      const most = counts.reduce((highest, count) => Math.max(highest, count), 1)
      const colour = this.#colour(`--${SEVERITY_BANDS[band]}`)
      this.#context.fillStyle = matching === undefined ? colour : this.#colour('--unmatched')
      this.#row(counts, most, bottom)
      if (matching === undefined) continue
      this.#context.fillStyle = colour
      this.#row(matching.subarray(band * count, (band + 1) * count), most, bottom)
    }
  }

  #row(counts: Uint32Array, most: number, bottom: number): void {
    for (const [bin, count] of counts.entries()) {
      if (count === 0) continue
      // The root keeps single events visible beside thousands.
      const height = 3 + Math.sqrt(count / most) * (BAND_PX - 6)
      this.#context.fillRect(bin * BAR_PX, bottom - height, BAR_PX - (BAR_PX > 2 ? 0.5 : 0), height)
    }
  }

  /** A place where events are missing from the file. */
  #damage(): void {
    for (const { damage, after } of this.#store.damage) {
      if (damage.eventsLost === 0) continue
      const before = this.#store.times[Math.max(0, after - 1)] ?? 0
      const next = after < this.#store.length ? (this.#store.times[after] ?? before) : this.#end(before)
      const left = this.#x(Math.min(before, next))
      this.#hatch(left - 3, Math.max(left + 3, this.#x(next)), AXIS_PX, this.#height - AXIS_PX)
    }
  }

  /** Of what the file lost at its end: the trigger, at least. */
  #end(last: number): number {
    return Math.max(last, this.#store.triggerTime ?? last)
  }

  #triggers(): void {
    const { triggerTime, trailer } = this.#store
    if (triggerTime === undefined) return
    // Where they are close together one stands for several.
    let last = this.#x(triggerTime)
    for (const { time } of trailer?.furtherTriggers ?? []) {
      if (Math.abs(this.#x(time) - last) < SIGN_PX) continue
      last = this.#x(time)
      this.#trigger(time, '▽', false)
    }
    this.#trigger(triggerTime, '▼', true)
  }

  #trigger(time: number, sign: string, isFirst: boolean): void {
    const context = this.#context
    const x = Math.round(this.#x(time))
    if (x < 0 || x > this.#width) return
    context.fillStyle = this.#colour('--text')
    if (isFirst) context.fillRect(x, AXIS_PX, 1, this.#height)
    context.fillText(sign, Math.min(this.#width - 10, x - 5), AXIS_PX - 6)
  }
}

/** Events by band and part of the width: all of them, and those that the filter leaves. */
interface Bins {
  readonly count: number
  readonly all: Uint32Array
  readonly matching: Uint32Array | undefined
}

function binned(store: Store, [from, to]: Range, bins: number, isMatch: Uint8Array | undefined): Bins {
  const all = new Uint32Array(6 * bins)
  const matching = isMatch === undefined ? undefined : new Uint32Array(6 * bins)
  const scale = bins / (to - from)
  const { times, bands, length } = store
  for (let index = 0; index < length; index++) {
    const bin = Math.floor(((times[index] as number) - from) * scale)
    if (bin < 0 || bin >= bins) continue
    const at = (bands[index] as number) * bins + bin
    all[at] = (all[at] as number) + 1
    if (matching !== undefined && isMatch?.[index] === 1) matching[at] = (matching[at] as number) + 1
  }
  return { count: bins, all, matching }
}

function describe(store: Store): string {
  const counts = Timeline.bandsOf(store).map(
    (band) => `${SEVERITY_BANDS[band]}: ${counted(store.bandCounts[band] ?? 0, 'event')}`,
  )
  return `Events over time. ${counts.join(', ')}. [ and ] zoom.`
}
