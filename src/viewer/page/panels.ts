import { html, nothing, type TemplateResult } from 'lit/html.js'
import { bandName, SEVERITY_BANDS, severityName } from '../../event/severity'
import { messageText } from '../../event/template'
import type { IncidentHeader } from '../../incident/header'
import type { Finding } from '../../query/stands-out'
import type { Difference } from './compare'
import { KEYS, keyName } from './keys'
import type { IncidentEntry } from './server'
import { counted, fullTime, grouped, roughly, type TimeMode, visible } from './text'

export interface Group {
  readonly count: number
  /** Age of the first, in microseconds before this one. */
  readonly firstAge: number
  readonly hasPrevious: boolean
}

/** One line that says what broke, where and when. */
export function headlineView(
  header: IncidentHeader,
  time: TimeMode,
  group: Group | undefined,
  onCompare: () => void,
): TemplateResult {
  const { event, kind, reason } = header.trigger
  const band = bandName(event.severity)
  const name = header.version === '' ? header.service : `${header.service} ${header.version}`
  const message = visible(messageText(event).slice(0, 2000))
  return html`
    <span class="who">${visible(name)} · ${visible(header.host)}${header.label === undefined ? nothing : html` · ${visible(header.label)}`} · pid ${header.pid}</span>
    <time title=${fullTime(event.time, 'local')}>${fullTime(event.time, time === 'local' ? 'local' : 'utc').replace(/\d{3} (?=\S+$)/, ' ')}</time>
    <span class="sev" data-band=${band}>${severityName(event.severity)}</span>
    <h1 title=${message}>${message}</h1>
    ${kind === 'event' ? nothing : html`<span class="dim" title=${visible(reason)}>${kind}: ${visible(reason).slice(0, 120)}</span>`}
    ${
      group === undefined || group.count < 2
        ? nothing
        : html`<span class="group">group ×${grouped(group.count)} · first ${group.firstAge < 1e6 ? 'this one' : `${roughly(group.firstAge)} before`}
      ${group.hasPrevious ? html`<button @click=${onCompare}>compare with the previous</button>` : nothing}</span>`
    }
  `
}

export function findingsView(
  findings: readonly Finding[] | 'looking' | undefined,
  onPick: (finding: Finding) => void,
) {
  if (findings === undefined || (findings !== 'looking' && findings.length === 0)) return nothing
  if (findings === 'looking') return html`<h2>what stands out</h2><p class="dim">looking …</p>`
  const line = (finding: Finding): TemplateResult => html`<li><span>${visible(finding.text)}</span>
    ${finding.count === 0 ? nothing : html`<button @click=${() => onPick(finding)}>${counted(finding.count, 'event')}</button>`}</li>`
  const shown = findings.slice(0, SHOWN_FINDINGS)
  const more = shown.length - FIRST_FINDINGS
  return html`<h2>what stands out</h2>
    ${more > 0 ? html`<button class="more" aria-expanded="false" @click=${showMore}><span>${more} more</span><span>fewer</span></button>` : nothing}
    <ol>${shown.map(line)}</ol>`
}

const SHOWN_FINDINGS = 8
/** On a narrow page, until more are asked for. The cause is nearly always among them. */
const FIRST_FINDINGS = 3

function showMore({ currentTarget }: Event): void {
  const button = currentTarget as HTMLElement
  const isOpen = button.getAttribute('aria-expanded') === 'true'
  button.setAttribute('aria-expanded', String(!isOpen))
}

/** Severities beside the timeline. */
export function bandsView(
  bands: readonly number[],
  counts: readonly number[],
  onPick: (term: string) => void,
) {
  return bands.map((band) => {
    const name = SEVERITY_BANDS[band] ?? ''
    const count = grouped(counts[band] ?? 0)
    return html`<button class="band" data-band=${name} title="add severity:${name} to the filter" @click=${() => onPick(`severity:${name}`)}><span>${name}</span> <span class="count">${count}</span></button>`
  })
}

export function differencesView(
  differences: readonly Difference[] | 'looking',
  previous: string,
  onPick: (one: Difference) => void,
  onClose: () => void,
): TemplateResult {
  return html`<div class="over-head"><h2>compared with the previous one of its kind, ${previous}</h2><button @click=${onClose} aria-label="Close the comparison">✕</button></div>
    ${
      differences === 'looking'
        ? html`<p class="dim">reading it …</p>`
        : differences.length === 0
          ? html`<p>Nothing: the same lines, about as often.</p>`
          : html`<table>
      <thead><tr><th scope="col" class="number">a minute here</th><th scope="col" class="number">then</th><th scope="col">line</th></tr></thead>
      <tbody>${differences.map(
        (one) => html`<tr>
        <td class="number">${rate(one.here, one.hereCount)}</td><td class="number">${rate(one.there, one.thereCount)}</td>
        <td><span class="sev" data-band=${one.severity}>${one.severity}</span> ${visible(one.facility)} ${one.hereCount === 0 ? visible(one.message) : html`<button @click=${() => onPick(one)}>${visible(one.message)}</button>`}
        ${one.thereCount === 0 ? html`<span class="dim">only here</span>` : one.hereCount === 0 ? html`<span class="dim">only then</span>` : nothing}</td>
      </tr>`,
      )}</tbody></table>`
    }`
}

function rate(perMinute: number, count: number): string {
  if (count === 0) return '–'
  return perMinute >= 10 ? grouped(Math.round(perMinute)) : perMinute.toFixed(1)
}

/** Incidents of a directory, the newest first. */
export function pickerView(
  name: string,
  entries: readonly IncidentEntry[],
  unreadable: readonly string[],
  onPick: (id: string) => void,
): TemplateResult {
  const sizes = new Map<string, number>()
  for (const { fingerprint } of entries) sizes.set(fingerprint, (sizes.get(fingerprint) ?? 0) + 1)
  return html`<section class="picker" aria-label="incidents">
    <h1>${visible(name)} <span class="dim">${counted(entries.length, 'incident')}</span></h1>
    ${
      entries.length === 0
        ? html`<p class="dim">There is no incident here yet. One that comes is shown at once.</p>`
        : html`<table>
      <thead><tr><th scope="col">when</th><th scope="col">service</th><th scope="col">severity</th><th scope="col">what set it off</th><th scope="col" class="number">group</th><th scope="col" class="number">events</th></tr></thead>
      <tbody>${entries.toReversed().map(
        (entry) => html`<tr>
        <td class="when" title=${fullTime(entry.openedAt, 'utc')}>${fullTime(entry.openedAt, 'local').slice(0, 19)}</td>
        <td>${visible(entry.service)}</td>
        <td><span class="sev" data-band=${bandName(entry.severity)}>${severityName(entry.severity)}</span></td>
        <td class="what"><button @click=${() => onPick(entry.id)}>${visible(entry.facility === '' ? entry.message : `${entry.facility}: ${entry.message}`)}</button></td>
        <td class="number">${groupText(sizes.get(entry.fingerprint) ?? 1)}</td>
        <td class="number">${entry.state === 'open' && entry.events === undefined ? 'recording' : entry.events === undefined ? '' : grouped(entry.events)}</td>
      </tr>`,
      )}</tbody></table>`
    }
    ${unreadable.map((line) => html`<p class="bad">${visible(line)}</p>`)}
  </section>`
}

function groupText(size: number): string {
  return size > 1 ? `×${grouped(size)}` : ''
}

export function helpView(onClose: () => void): TemplateResult {
  return html`<div class="over-head"><h2>keys</h2><button @click=${onClose} aria-label="Close the help">✕</button></div>
    <dl>${KEYS.map(({ keys, help }) => html`<dt>${keys.map((key) => html`<kbd>${keyName(key)}</kbd> `)}</dt><dd>${help}</dd>`)}</dl>
    <p class="dim">Drag over the timeline to zoom, click it to go there, double-click for all of it; Ctrl and the wheel zoom too.
    Every severity, facility and value adds to the filter when it is clicked. <kbd>Tab</kbd> in the filter takes a suggestion.</p>`
}
