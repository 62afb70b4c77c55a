import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import winston from 'winston'
import Transport from 'winston-transport'
import { decodeEvent } from '../../../src/codec/decode'
import type { LogEvent } from '../../../src/event/event'
import { createRecorder, type Recorder } from '../../../src/recorder/recorder'
import { LiveReader } from '../../../src/ring/live'
import { IncidentTransport, type IncidentTransportOptions } from '../../../src/winston'

const open: { close(): unknown }[] = []
const directories: string[] = []

export function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'flog-winston-'))
  directories.push(path)
  return path
}

/** A transport that is closed after the test; unless told otherwise its events begin no incident. */
export function transport(options: IncidentTransportOptions = {}): IncidentTransport {
  const own = options.recorder === undefined ? { directory: directory(), qualifier: () => false } : {}
  const made = new IncidentTransport({ ...own, ...options })
  open.push(made)
  return made
}

/** A recorder that is closed after the test. */
export function recorderOf(options: Parameters<typeof createRecorder>[0] = {}): Recorder {
  const made = createRecorder({ directory: directory(), ...options })
  open.push(made)
  return made
}

/** A logger with a transport of ours, made by winston's own defaults. */
export function rig(logger: winston.LoggerOptions = {}, options: IncidentTransportOptions = {}) {
  const incident = transport(options)
  const log = winston.createLogger({ ...logger, transports: [incident, ...others(logger.transports)] })
  return { log, incident, events: () => eventsOf(incident.recorder) }
}

function others(given: winston.LoggerOptions['transports']): Transport[] {
  if (given === undefined) return []
  return (Array.isArray(given) ? given : [given]) as Transport[]
}

export async function closeAll(): Promise<void> {
  for (const one of open.splice(0)) await one.close()
  for (const path of directories.splice(0)) rmSync(path, { recursive: true, force: true })
}

/** Everything that a recorder holds, in order. */
export function eventsOf(recorder: Recorder): LogEvent[] {
  const { rings, control } = recorder.events
  const frames = new LiveReader(rings.handles, control, 'oldest').read(1_000_000)
  return frames.map((frame) => decodeEvent(frame.payload)).sort((a, b) => a.seq - b.seq)
}

/** How many events a recorder has taken. */
export function countOf(recorder: Recorder): number {
  return recorder.events.rings.rings.reduce((sum, ring) => sum + ring.written, 0)
}

export function messages(events: readonly LogEvent[]): string[] {
  return events.map((event) => event.message)
}

export function incidentFiles(path: string): string[] {
  return readdirSync(path).filter((name) => name.includes('.incident.flog'))
}

/** A transport that notes what it is given and asks for more, at once unless told otherwise. */
export class Sibling extends Transport {
  readonly seen: Record<PropertyKey, unknown>[] = []
  readonly #next: (next: () => void) => void

  constructor(
    next: (next: () => void) => void = (next) => next(),
    options: Transport.TransportStreamOptions = {},
  ) {
    super(options)
    this.#next = next
  }

  override log(info: Record<PropertyKey, unknown>, next: () => void): void {
    this.seen.push(info)
    this.#next(next)
  }
}
