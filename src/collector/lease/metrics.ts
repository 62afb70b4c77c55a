/** What the lease counts, and the labels that each has. */
export interface LeaseCounters {
  readonly session_started: { readonly processor: string }
  readonly session_expired: { readonly processor: string }
  readonly transaction_executed: { readonly processor: string }
  readonly transaction_retried: { readonly processor: string }
  readonly transaction_failed: { readonly processor: string }
  readonly work_started: { readonly processor: string; readonly process: string }
  readonly work_finished: {
    readonly processor: string
    readonly process: string
    readonly result: 'finished' | 'failed' | 'canceled' | 'lost'
  }
  readonly work_expired: { readonly process: string }
}

/** Where counts go; without one they go nowhere. It must not throw. */
export interface LeaseMetrics {
  count<Name extends keyof LeaseCounters>(name: Name, labels: LeaseCounters[Name]): void
}

export const NO_METRICS: LeaseMetrics = { count: () => {} }
