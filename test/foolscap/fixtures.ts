import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LogEvent } from '../../src/event/event'
import { messageText } from '../../src/event/template'
import { FoolscapParser } from '../../src/foolscap/parser'
import { fingerprintOf } from '../../src/incident/fingerprint'
import type { IncidentPart } from '../../src/incident/parser'
import { collected, type Read } from './read'

export const FIXTURES = join(__dirname, '../../fixtures/foolscap')

/** Flogfiles that Foolscap's own tool could read, at least in part: paths in the directory of fixtures. */
export const READABLE = readdirSync(FIXTURES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'bad')
  .flatMap(({ name }) => readdirSync(join(FIXTURES, name)).map((file) => join(name, file)))
  .filter((path) => /\.flog(\.bz2)?$/.test(path))
  .sort()

export function fixture(path: string): Buffer {
  return readFileSync(join(FIXTURES, path))
}

/** What the parser makes of bytes that come in pieces. */
export function parsed(bytes: Uint8Array, pieceBytes = bytes.length, limits = {}): Read {
  const parser = new FoolscapParser(fingerprintOf, limits)
  const parts: IncidentPart[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes)
    parts.push(...parser.push(bytes.subarray(at, at + pieceBytes)))
  parts.push(...parser.end())
  return collected(parts)
}

/** A flogfile with these lines behind its magic. */
export function flogfile(...lines: readonly string[]): Buffer {
  return Buffer.from(['# foolscap flogfile v1', ...lines, ''].join('\n'))
}

/** The line of an event. */
export function eventLine(d: string, envelope = '"from": "local", "rx_time": 2000.5'): string {
  return `{${envelope}, "d": ${d}}`
}

/** The one event of a flogfile that has no header. */
export function eventOfJson(d: string, envelope?: string): LogEvent {
  const { events } = parsed(flogfile(eventLine(d, envelope)))
  if (events[0] === undefined) throw new Error('there is no event')
  return events[0].event
}

export interface Dumped {
  readonly from: string
  readonly num: number
  readonly time: string
  readonly text: string
  readonly isTrigger: boolean
}

/** What `flogtool dump` printed of the events of a file. */
export function dumped(path: string): Dumped[] {
  const text = readFileSync(join(FIXTURES, `${path}.dump.txt`), 'utf8')
  const starts = [...text.matchAll(/^(\S{1,8})#(\d+) (\d\d:\d\d:\d\d\.\d\d\d): /gm)]
  return starts.map((start, index) => {
    const end = starts[index + 1]?.index ?? text.length
    const shown = text.slice(start.index + start[0].length, end)
    const [message = ''] = shown.replace(/\n$/, '').split(/\n FAILURE:\n|\nunformattable event /)
    return {
      from: start[1] ?? '',
      num: Number(start[2]),
      time: start[3] ?? '',
      text: message.replace(/ \[INCIDENT-TRIGGER\]$/, ''),
      isTrigger: message.endsWith(' [INCIDENT-TRIGGER]'),
    }
  })
}

/** What an event of ours would be in such a dump. */
export function asDumped({ event, mark }: Read['events'][number]): Dumped {
  const from = event.fields['from']
  return {
    from: typeof from === 'string' ? from.slice(0, 8) : 'local',
    num: event.seq,
    time: new Date(Math.floor(event.time / 1000)).toISOString().slice(11, 23),
    text: messageText(event),
    isTrigger: mark === 'trigger',
  }
}
