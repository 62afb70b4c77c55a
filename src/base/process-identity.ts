/** Tells whether the process that owns a file is alive, across restarts and containers. */
export interface ProcessIdentity {
  readonly bootId: string
  readonly pidNamespace: string
  readonly pid: number
  /** Start time of the process in clock ticks since boot, as text; empty where the platform does not tell. */
  readonly startTime: string
}
