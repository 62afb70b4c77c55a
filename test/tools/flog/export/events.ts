import type { LogEvent } from '../../../../src/event/event'
import type { IncidentHeader } from '../../../../src/incident/header'
import type { RecordedEvent } from '../../../../src/incident/parts'
import { type DumpedFile, dumpedFile, type Target } from '../../../../tools/flog/dump/write-parts'
import type { Output } from '../../../../tools/flog/output'
import { capturedSurroundings } from '../surroundings'

export const HOSTILE = '\u001b[2J\u009b31m\u202e\u0007\r'

export function event(given: Partial<LogEvent> = {}): LogEvent {
  return {
    seq: 1,
    time: 1_795_293_064_123_456,
    severity: 9,
    message: 'm',
    facility: 'app',
    fields: {},
    ...given,
  }
}

/** What a target writes of one file with these events. */
export async function written(
  targetOf: (out: Output) => Target,
  events: readonly RecordedEvent[],
  header?: Partial<IncidentHeader>,
): Promise<string> {
  const { io, text } = capturedSurroundings()
  const target = targetOf(io.out)
  const file: DumpedFile = dumpedFile('a.flog')
  file.header = header as IncidentHeader | undefined
  target.events(events, file, events)
  target.verdict?.(
    {
      state: 'whole',
      events: events.length,
      damage: [],
      damageOmitted: 0,
      plainBytes: 0,
      wholeBytes: 0,
      hasHeader: true,
      hasTrailer: true,
    },
    file,
  )
  target.end?.()
  return (await text()).out
}

/** Nothing in it does anything to a terminal but end a line. */
export function expectHarmless(text: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(text).not.toMatch(/[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u202e]|\r(?!\n)/)
}
