import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { SystemClock } from '../../../src/base/clock'
import { RING_MIN_BYTES } from '../../../src/base/limits'
import type { ProcessIdentity } from '../../../src/base/process-identity'
import { EventEncoder } from '../../../src/codec/encoder'
import type { LogEvent } from '../../../src/event/event'
import { Redactor } from '../../../src/event/redact'
import { INFO } from '../../../src/event/severity'
import { BlackBox, type BlackBoxOptions } from '../../../src/incident/black-box/black-box'
import { readBlackBox } from '../../../src/incident/black-box/read'
import { IncidentDirectory } from '../../../src/incident/directory'
import type { HeaderOrigin, IncidentHeader } from '../../../src/incident/header'
import { readIncidentFile } from '../../../src/incident/reader'
import { ControlBlock } from '../../../src/ring/control'
import { CONTROL_WORDS, type RingHandle } from '../../../src/ring/layout'
import { mergeHistory } from '../../../src/ring/merge'
import { Ring } from '../../../src/ring/ring'
import { deadProcess, INCARNATION, incident, OPENED_AT, sampleHeader } from '../samples'

export const clock = new SystemClock()

export function originOf(process: ProcessIdentity = deadProcess(), incarnation = INCARNATION): HeaderOrigin {
  const { service, version, host, versions } = sampleHeader()
  return { incarnation, service, version, host, pid: process.pid, process, versions }
}

/** A program that logs. */
export class App {
  readonly control = new ControlBlock()
  readonly rings: Ring[]
  readonly #encoder = new EventEncoder(new Redactor({ defaults: false }), 16 * 1024)

  constructor(rings = 2, startAt = 0, bytes = RING_MIN_BYTES) {
    this.rings = Array.from({ length: rings }, () => new Ring({ severity: 'info', bytes, startAt }))
  }

  get handles(): RingHandle[] {
    return this.rings.map((ring) => ring.handle)
  }

  /** @returns its `seq` */
  log(ring = 0, bytes = 100): number {
    const seq = this.control.nextSeq()
    const text = `${seq}:`.padEnd(bytes, String.fromCharCode(97 + (seq % 26)))
    const length = this.#encoder.encode(clock.now(), INFO, text, 'test', undefined)
    this.#encoder.stamp(seq)
    if (this.rings[ring]?.append(this.#encoder.longs, length) !== true) throw new Error('it was refused')
    this.control.publish(seq)
    return seq
  }

  box(directory: string, options: Partial<BlackBoxOptions> = {}): BlackBox {
    return new BlackBox({
      directory: new IncidentDirectory({ path: directory }),
      id: incident(1),
      startedAt: OPENED_AT,
      origin: originOf(),
      rings: this.handles,
      control: this.control,
      clock,
      onTrouble: (error) => {
        throw error
      },
      ...options,
    })
  }
}

/** The `seq` of all events of rings, merged. */
export function merged(rings: readonly RingHandle[], ownThread = 0): number[] {
  const seqs: number[] = []
  const target = {
    event(seq: number, bytes: number, words: Int32Array, position: number, mask: number): void {
      if (words[CONTROL_WORDS + ((position - 2) & mask)] !== bytes) throw new Error('it is torn')
      seqs.push(seq)
    },
  }
  mergeHistory(rings, target, { ownThread, until: Number.MAX_SAFE_INTEGER })
  return seqs
}

export interface Found {
  readonly seqs: number[]
  /** Of each ring. */
  readonly perRing: number[][]
  readonly overruns: number
  readonly evicted: number[]
  readonly beyond: number
}

/** What a recovery finds in a black box. */
export async function found(path: string): Promise<Found> {
  const { images, superblock } = await readBlackBox(path)
  const findings = []
  for (const image of images) findings.push(await image.examine())
  return {
    seqs: merged(images.map(({ handle }) => handle)),
    perRing: images.map(({ handle }) => merged([handle])),
    overruns: (superblock?.rings ?? []).reduce((sum, ring) => sum + ring.overruns, 0),
    evicted: findings.map(({ state }) => state.evicted),
    beyond: findings.reduce((sum, { beyond }) => sum + beyond, 0),
  }
}

/** A copy of a black box as it is now. */
export function snapshot(path: string, directory: string, name = 'snapshot'): string {
  const copy = join(directory, name)
  copyFileSync(path, copy)
  return copy
}

/** A whole incident file. */
export async function read(
  path: string,
): Promise<{ header: IncidentHeader; events: LogEvent[]; state: string | undefined }> {
  let header: IncidentHeader | undefined
  let state: string | undefined
  const events: LogEvent[] = []
  for await (const part of readIncidentFile(path)) {
    if (part.kind === 'header') header = part.header
    else if (part.kind === 'events') events.push(...part.events.map(({ event }) => event))
    else if (part.kind === 'verdict') state = part.verdict.state
  }
  if (header === undefined) throw new Error('there is no header')
  return { header, events, state }
}
