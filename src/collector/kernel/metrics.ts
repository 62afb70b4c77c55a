import { KERNEL_SERIES } from '../../base/kernel-limits'

/** Every series of the kernel and the labels it has. A fingerprint is never a label: there is no end of them. */
export const SERIES = {
  kernel_errors_total: {
    type: 'counter',
    labels: ['part', 'level', 'kind'],
    help: 'reports that the kernel was given',
  },
  kernel_forwarded_total: {
    type: 'counter',
    labels: [],
    help: 'rows that the central error log acknowledged',
  },
  kernel_forward_dropped_total: { type: 'counter', labels: [], help: 'rows that were dropped unsent' },
  kernel_received_total: { type: 'counter', labels: [], help: 'rows written into the central error log' },
  kernel_decision_total: {
    type: 'counter',
    labels: ['action', 'source'],
    help: 'decisions by action and by what made them',
  },
  kernel_forward_queue: { type: 'gauge', labels: [], help: 'rows that wait in memory to be forwarded' },
} as const satisfies Record<string, Series>

interface Series {
  readonly type: 'counter' | 'gauge'
  readonly labels: readonly string[]
  readonly help: string
}

export type SeriesName = keyof typeof SERIES
export type Labels = Readonly<Record<string, string>>

/** Where the kernel counts. Whoever has a registry of their own gives one that passes it on. */
export interface Metrics {
  add(name: SeriesName, labels?: Labels, count?: number): void
  set(name: SeriesName, value: number): void
}

/** A metric that cannot be counted must hide no error. */
export function safely(metrics: Metrics): Metrics {
  const guarded = (count: () => void): void => {
    try {
      count()
    } catch {
      // Whoever gave it hears of it elsewhere, or never would.
    }
  }
  return {
    add: (...args) => guarded(() => metrics.add(...args)),
    set: (...args) => guarded(() => metrics.set(...args)),
  }
}

/** Stands for whatever has no series of its own any more. */
const OTHER = 'other'

/** Counts in memory, bounded, and shows it in the text format of Prometheus. */
export class MetricsTable implements Metrics {
  readonly #values = new Map<SeriesName, Map<string, number>>()

  add(name: SeriesName, labels: Labels = {}, count = 1): void {
    const values = this.#of(name)
    const key = this.#keyOf(name, labels, values)
    values.set(key, (values.get(key) ?? 0) + count)
  }

  set(name: SeriesName, value: number): void {
    this.#of(name).set('', value)
  }

  /** The value of a series, or the sum of all that have these labels. */
  value(name: SeriesName, labels: Labels = {}): number {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${escapeLabel(value)}"`)
    const values = [...this.#of(name)].filter(([key]) => wanted.every((label) => key.includes(label)))
    return values.reduce((sum, [, value]) => sum + value, 0)
  }

  /** https://prometheus.io/docs/instrumenting/exposition_formats/ */
  text(): string {
    return [...this.#values]
      .flatMap(([name, values]) => [
        `# HELP ${name} ${SERIES[name].help}`,
        `# TYPE ${name} ${SERIES[name].type}`,
        ...[...values].map(([key, value]) => `${name}${key === '' ? '' : `{${key}}`} ${value}`),
      ])
      .map((line) => `${line}\n`)
      .join('')
  }

  #of(name: SeriesName): Map<string, number> {
    const values = this.#values.get(name) ?? new Map<string, number>()
    this.#values.set(name, values)
    return values
  }

  #keyOf(name: SeriesName, labels: Labels, values: ReadonlyMap<string, number>): string {
    const key = keyOf(SERIES[name].labels, labels)
    if (values.has(key) || values.size < KERNEL_SERIES) return key
    return keyOf(SERIES[name].labels, { ...labels, part: OTHER })
  }
}

function keyOf(names: readonly string[], labels: Labels): string {
  return names.map((name) => `${name}="${escapeLabel(labels[name] ?? '')}"`).join(',')
}

function escapeLabel(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')
}
