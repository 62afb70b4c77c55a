import type { ErrorRecord } from '../../event/event'
import { INFO } from '../../event/severity'
import type { Logger } from '../../recorder/logger'
import type { LineEvent } from './event'

/**
 * Records a line. One that names no level is `info`, on standard error too: programs print their progress there. One that
 * names no facility has the name of its stream.
 */
export function recordLine(logger: Pick<Logger, 'record'>, event: LineEvent): void {
  const { severity = INFO, message, facility = event.stream, fields, error, time, cut } = event
  logger.record({
    severity,
    message,
    facility,
    fields: cut === 0 ? fields : { ...fields, bytesCut: cut },
    ...(error !== undefined && { error: errorValue(error) }),
    ...(time !== undefined && { time }),
  })
}

/** An error by value, as an object that has what an error has. */
function errorValue({ fields, ...record }: ErrorRecord): object {
  return { ...fields, ...record }
}
