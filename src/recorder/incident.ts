import type { IncidentHeader, IncidentSummary, TriggerRecord } from '../incident/header'

/** `opened`: history and trigger are written, the window runs. `closed`: the finished file is in place, or given up. */
export type IncidentPhase = 'opened' | 'closed'

/** What writes it, here or in the second thread. */
export interface Written {
  readonly header: IncidentHeader
  /** Undefined as long as the disk refuses it. */
  readonly path: string | undefined
}

/** An incident as the program that has it sees it. */
export class Incident {
  readonly id: string
  readonly trigger: TriggerRecord
  readonly header: IncidentHeader
  /**
   * Settles when the window is over and the finished file in place; undefined where it could not be made in this process
   * (it ended, or the disk refuses): the plain file is then finished by the next one.
   */
  readonly closed: Promise<IncidentSummary | undefined>
  phase: IncidentPhase = 'opened'
  /** The finished incident, once `phase` is `closed`. */
  summary: IncidentSummary | undefined
  #path: string | undefined
  #settle: (summary: IncidentSummary | undefined) => void = () => {}
  readonly #report: Written

  /** @internal */
  constructor(report: Written) {
    this.id = report.header.id
    this.header = report.header
    this.trigger = report.header.trigger
    this.#report = report
    this.closed = new Promise((resolve) => {
      this.#settle = resolve
    })
  }

  /** The file: plain while the incident is open, compressed afterwards; undefined while the disk refuses it. */
  get path(): string | undefined {
    return this.#path ?? this.#report.path
  }

  /** @internal */
  settle(finished: { readonly path: string; readonly summary: IncidentSummary } | undefined): void {
    this.phase = 'closed'
    this.#path = finished?.path
    this.summary = finished?.summary
    this.#settle(finished?.summary)
  }
}
