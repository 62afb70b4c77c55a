import type { AskOptions } from './ask'
import type { Decision, ErrorReport } from './event'

/** What of a kernel the hook needs. */
interface Asked {
  report(report: ErrorReport): void
  ask(report: ErrorReport, options?: AskOptions): Promise<Decision>
}

/** What an engine says of a part that ended with an error. */
interface PartEnd {
  /** The answer changes nothing any more. */
  readonly final: boolean
  readonly signal: AbortSignal
}

/**
 * The hook through which an engine asks the kernel what to do with a part that ended with an error. Of a part whose end is
 * decided already the kernel is only told.
 * @param workOf what a part was at; it goes into the row
 */
export function onPartError(
  kernel: Asked,
  workOf: (part: string) => unknown = () => undefined,
): (part: string, error: unknown, end: PartEnd) => Decision | Promise<Decision> {
  return (part, error, { final, signal }) => {
    const report = { part, error, work: workOf(part) }
    if (!final) return kernel.ask(report, { signal })
    kernel.report(report)
    return { action: 'continue', reason: 'it is decided already' }
  }
}
