import { severityOf } from '../../event/severity'
import type { Logger } from '../../recorder/logger'
import type { Recorder } from '../../recorder/recorder'
import type { Level, SeenEvent } from '../kernel/event'
import type { Kernel } from '../kernel/kernel'
import type { PlainError } from '../kernel/plain'
import { RECORDER_PART } from '../kernel/process-errors'
import type { Sink } from '../kernel/sinks'

/** In Foolscap's words: errors begin an incident, warnings stay just below what does. */
const LEVELS: Readonly<Record<Level, string>> = {
  debug: 'noisy',
  info: 'operational',
  warning: 'curious',
  error: 'scary',
}
/** Of a part that is left down, and of the end of all of them. */
const GRAVE = 'bad'

/** Makes what the error kernel hears events of the collector's own recorder: in trouble it leaves an incident about itself. */
export function incidentSink(recorder: Logger): Sink {
  return {
    name: 'incidents',
    folded: false,
    write: async (batch) => {
      for (const event of batch) if (event.part !== RECORDER_PART) record(recorder, event)
    },
  }
}

/**
 * Reports what the recorder warns of: it is shown and forwarded, and does not come back to the recorder.
 * @returns a function that takes it back
 */
export function reportRecorder(recorder: Recorder, kernel: Kernel): () => void {
  const listener = (error: Error): void => kernel.report({ part: RECORDER_PART, level: 'warning', error })
  recorder.on('warning', listener)
  return () => void recorder.off('warning', listener)
}

function record(recorder: Logger, event: SeenEvent): void {
  const { part, kind, message, time, fingerprint, error, work, decision } = event
  recorder.record({
    ...{ severity: severityFor(event), message, time, facility: `collector.${part}` },
    fields: {
      ...{ kind, fingerprint },
      ...(decision !== undefined && { action: decision.action, reason: decision.reason }),
      ...(work !== undefined && { work }),
    },
    ...(error !== undefined && { error: errorOf(error) }),
  })
}

function severityFor({ level, decision }: SeenEvent): number {
  const isGrave = decision?.action === 'kill' || decision?.action === 'escalate'
  return severityOf(isGrave ? GRAVE : LEVELS[level]) as number
}

/** What recorders know how to show, with the stack of where it was thrown instead of this one. */
function errorOf({ name, message, stack, cause, ...properties }: PlainError): Error {
  const error = new Error(message, cause === undefined ? undefined : { cause })
  error.name = name
  error.stack = typeof stack === 'string' ? stack : `${name}: ${message}`
  return Object.assign(error, properties)
}
