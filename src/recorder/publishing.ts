import type { Clock } from '../base/clock'
import type { IncidentDirectory } from '../incident/directory'
import { type PublishOptions, publishProcess } from '../remote/publish-process'
import type { Publisher } from '../remote/publisher'
import type { ControlBlock } from '../ring/control'
import type { RingHandle } from '../ring/layout'
import type { Incident } from './incident'
import type { Origin } from './origin'

/** What of a recorder is published. */
export interface Published {
  readonly origin: Origin
  /** Microseconds since the epoch. */
  readonly startedAt: number
  readonly directory: IncidentDirectory
  readonly rings: readonly RingHandle[]
  readonly control: ControlBlock
  readonly clock: Clock
  readonly capture: (reason: string) => Incident | undefined
}

/** @throws FlogError FLOG_OPTION_INVALID, FLOG_KEYS_UNUSABLE, FLOG_REMOTE_UNREACHABLE */
export function publishRecorder(options: PublishOptions, published: Published): Promise<Publisher> {
  const { capture, rings } = published
  return publishProcess(options, {
    ...published,
    rings: () => rings,
    capture: async (reason) => capture(reason)?.id,
  })
}
