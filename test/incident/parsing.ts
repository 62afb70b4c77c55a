import { FlogError } from '../../src/base/errors'
import type { LogEvent } from '../../src/event/event'
import type { Damage, Verdict } from '../../src/incident/damage'
import type { IncidentHeader, IncidentTrailer } from '../../src/incident/header'
import { nodeEngine } from '../../src/incident/node-engine'
import { IncidentParser, type ParserOptions } from '../../src/incident/parser'

/** All that a reader makes of some bytes. */
export interface Parsed {
  header?: IncidentHeader
  trailer?: IncidentTrailer
  readonly events: LogEvent[]
  readonly marks: Map<number, string>
  readonly damage: Damage[]
  verdict?: Verdict
}

/** @param chunk bytes pushed at a time */
export function parsed(
  bytes: Uint8Array,
  options: ParserOptions = {},
  chunk = Math.max(1, bytes.length),
): Parsed {
  const parser = new IncidentParser(nodeEngine, options)
  const found: Parsed = { events: [], marks: new Map(), damage: [] }
  for (let at = 0; at < bytes.length; at += chunk) collect(parser.push(bytes.subarray(at, at + chunk)), found)
  collect(parser.end(), found)
  return found
}

/** The code of the error that reading ends in; undefined where it ends in a verdict. */
export function errorOf(bytes: Uint8Array, options: ParserOptions = {}): string | undefined {
  try {
    parsed(bytes, options)
    return undefined
  } catch (error) {
    if (!FlogError.is(error)) throw error
    return error.code
  }
}

function collect(parts: ReturnType<IncidentParser['push']>, found: Parsed): void {
  for (const part of parts) {
    if (found.verdict !== undefined) throw new Error('a part came after the verdict')
    if (part.kind === 'header') found.header = part.header
    else if (part.kind === 'trailer') found.trailer = part.trailer
    else if (part.kind === 'damage') found.damage.push(part.damage)
    else if (part.kind === 'verdict') found.verdict = part.verdict
    else if (part.kind === 'events') {
      for (const { event, mark } of part.events) {
        found.events.push(event)
        if (mark !== undefined) found.marks.set(event.seq, mark)
      }
    }
  }
}
