import { html, nothing, type TemplateResult } from 'lit/html.js'
import type { ErrorRecord, LogEvent, Plain, PlainObject } from '../../event/event'
import { renderPlain } from '../../event/render'
import { severityName } from '../../event/severity'
import { isOwnFrame } from '../../event/stack'
import { meaningOf } from '../../event/tagged'
import { messageText } from '../../event/template'
import { quoteText } from '../../query/filter'
import { filterText } from './completion'
import type { Store } from './store'
import { counted, fullTime, messageLine, relativeTime, visible, visibleLines } from './text'

export interface DetailHost {
  /** Adds a term to the filter. */
  addTerm(term: string): void
  select(index: number): void
  close(): void
}

const MAX_DEPTH = 8
const MAX_RELATIVES = 100
const MAX_CAUSES = 16
const VALUE_CHARS = 20_000

/** All that is known of one event. */
export function detailView(store: Store, index: number, host: DetailHost): TemplateResult | typeof nothing {
  const recorded = store.at(index)
  if (recorded === undefined) return nothing
  const { event, mark } = recorded
  return html`
    <header class="detail-head">
      <h2>${visibleLines(messageText(event).slice(0, VALUE_CHARS))}</h2>
      <button class="close" @click=${host.close} aria-label="Close the details">✕</button>
    </header>
    <dl class="facts">
      ${fact('severity', severityName(event.severity), `severity:${severityName(event.severity)}`, host)}
      ${fact('facility', event.facility, `facility:${quoteText(event.facility)}`, host)}
      ${fact('time', timeText(event, store), undefined, host)}
      ${fact('seq', String(event.seq), `seq:${event.seq}`, host)}
      ${fact('trace', event.traceId, `trace:${quoteText(event.traceId ?? '')}`, host)}
      ${fact('span', event.spanId, `span:${quoteText(event.spanId ?? '')}`, host)}
      ${fact('thread', event.thread === undefined ? undefined : String(event.thread), `thread:${event.thread}`, host)}
      ${fact('cut', event.cut === undefined ? undefined : `${counted(event.cut, 'byte')} of it were cut`, undefined, host)}
      ${mark === undefined ? nothing : fact('mark', mark === 'trigger' ? 'began this incident' : 'would have begun one', `is:${mark}`, host)}
      ${mark === 'trigger' ? fact('reason', store.header?.trigger.reason, undefined, host) : nothing}
    </dl>
    ${fieldsView(event.fields, '', host, 0)}
    ${event.error === undefined ? nothing : errorView(event.error, 'error', 0)}
    ${relativesView(store, event, host)}
    ${event.message === messageText(event) ? nothing : html`<p class="template">template: ${visible(event.message)}</p>`}
  `
}

function timeText(event: LogEvent, store: Store): string {
  const { triggerTime } = store
  const when = fullTime(event.time, 'utc')
  return triggerTime === undefined ? when : `${relativeTime(event.time - triggerTime)} s · ${when}`
}

function fact(name: string, value: string | undefined, term: string | undefined, host: DetailHost) {
  if (value === undefined || value === '') return nothing
  return html`<dt>${name}</dt><dd>${adding(visible(value), term, host)}</dd>`
}

/** A value that adds itself to the filter. */
function adding(text: string, term: string | undefined, host: DetailHost) {
  if (term === undefined) return html`${text}`
  return html`<button class="value" title="add to the filter: ${visible(term)}" @click=${() => host.addTerm(term)}>${text}</button>`
}

function fieldsView(
  fields: PlainObject,
  path: string,
  host: DetailHost,
  depth: number,
): TemplateResult | typeof nothing {
  const meaning = meaningOf(fields)
  const entries = meaning.kind === 'record' ? meaning.entries : Object.entries(fields)
  if (entries.length === 0) return nothing
  const missing =
    meaning.kind === 'record' && meaning.missing > 0
      ? html`<p class="dim">and ${meaning.missing} more that were cut</p>`
      : nothing
  return html`
    ${depth === 0 ? html`<h3>fields</h3>` : nothing}
    <dl class="fields">
      ${entries.map(([name, value]) => html`<dt>${visible(name)}</dt><dd>${valueView(`${path}${name}`, value, host, depth)}</dd>`)}
    </dl>
    ${missing}
  `
}

function valueView(path: string, value: Plain, host: DetailHost, depth: number) {
  const meaning = meaningOf(value)
  if (meaning.kind === 'record' && meaning.entries.length > 0 && depth < MAX_DEPTH)
    return fieldsView(value as PlainObject, `${path}.`, host, depth + 1)
  if (meaning.kind === 'error') return errorView(errorOf(meaning.parts), '', 0)
  const text =
    typeof value === 'string' ? visibleLines(value.slice(0, VALUE_CHARS)) : renderPlain(value, VALUE_CHARS)
  const plain = filterText(value)
  return adding(text, plain === undefined ? undefined : `${nameText(path)}=${quoteText(plain)}`, host)
}

/** Names that mean something else to the filter are reached by way of `fields.`. */
const MEANT =
  /^(?:severity|facility|trace|span|request|thread|parent|seq|is|has|error|message|after|before|time|fields)\b/

function nameText(path: string): string {
  return MEANT.test(path) ? `fields.${quoteText(path)}` : quoteText(path)
}

function errorView(error: ErrorRecord, title: string, depth: number): TemplateResult {
  const head = error.message === '' ? error.name : `${error.name}: ${error.message}`
  const stack = error.stack?.slice(0, VALUE_CHARS) ?? ''
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line))
  const nested: readonly (readonly [string, Plain])[] = [
    ...(error.errors ?? []).map((one) => ['one of', one] as const),
    ...(error.cause === undefined ? [] : [['caused by', error.cause] as const]),
  ]
  return html`
    ${title === '' ? nothing : html`<h3>${title}</h3>`}
    <p class="error-head">${visibleLines(head)}${error.code === undefined ? nothing : html` <span class="dim">${visible(String(error.code))}</span>`}</p>
    ${error.fields === undefined ? nothing : html`<p class="dim">${renderPlain(error.fields)}</p>`}
    ${frames.length === 0 ? nothing : html`<ol class="stack" tabindex="0" aria-label="stack">${frames.map((line) => html`<li class=${isOwnFrame(line) ? 'own' : 'foreign'}>${visible(line.trim())}</li>`)}</ol>`}
    ${depth === MAX_CAUSES ? nothing : nested.map(([label, value]) => causeView(label, value, depth + 1))}
  `
}

function causeView(label: string, value: Plain, depth: number): TemplateResult {
  const meaning = meaningOf(value)
  if (meaning.kind === 'error') return errorView(errorOf(meaning.parts), label, depth)
  const isError = meaning.kind === 'record' && typeof (value as PlainObject)['message'] === 'string'
  if (isError) return errorView(errorOf(value as PlainObject), label, depth)
  return html`<h3>${label}</h3><p>${renderPlain(value)}</p>`
}

function errorOf(parts: PlainObject): ErrorRecord {
  const { name, message, stack } = parts
  return {
    ...(parts as unknown as ErrorRecord),
    name: typeof name === 'string' ? name : 'Error',
    message: typeof message === 'string' ? message : '',
    ...(typeof stack === 'string' ? { stack } : { stack: '' }),
  }
}

function relativesView(store: Store, event: LogEvent, host: DetailHost) {
  const parents: number[] = []
  for (let seq = event.parent; seq !== undefined && parents.length < MAX_RELATIVES; ) {
    const index = store.indexOf(seq)
    const parent = store.at(index)?.event
    if (parent === undefined || parents.includes(index)) break
    parents.unshift(index)
    seq = parent.parent
  }
  const children = store.childrenOf(event.seq)
  const isLost = event.parent !== undefined && parents.length === 0
  return html`
    ${parents.length === 0 ? nothing : html`<h3>parents</h3>${linksView(store, parents, host)}`}
    ${isLost ? html`<h3>parents</h3><p class="dim">#${event.parent}, which the recording no longer has</p>` : nothing}
    ${children.length === 0 ? nothing : html`<h3>${counted(children.length, 'child', 'children')}</h3>${linksView(store, children, host)}`}
  `
}

function linksView(store: Store, indexes: readonly number[], host: DetailHost) {
  return html`<ul class="links">
    ${indexes.slice(0, MAX_RELATIVES).map((index) => {
      const event = store.at(index)?.event
      return event === undefined
        ? nothing
        : html`<li><button @click=${() => host.select(index)}>${severityName(event.severity)} ${messageLine(event)}</button></li>`
    })}
    ${indexes.length > MAX_RELATIVES ? html`<li class="dim">and ${indexes.length - MAX_RELATIVES} more</li>` : nothing}
  </ul>`
}
