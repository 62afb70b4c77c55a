import { mkdir } from 'node:fs/promises'
import { FlogError } from '../../../src/base/errors'
import { VERSION } from '../../../src/base/version'
import { importIncident } from '../../../src/foolscap/import'
import { isFoolscap, MAGIC_BYTES } from '../../../src/foolscap/magic'
import { readFoolscap, readFoolscapFile } from '../../../src/foolscap/reader'
import { describeForeign } from '../../../src/incident/foreign'
import { startsLikeMagicLine } from '../../../src/incident/magic'
import type { IncidentPart } from '../../../src/incident/parser'
import { peek } from '../../../src/incident/peek'
import { firstBytesOf } from '../dump/first-bytes'
import { eachFile } from '../each-file'
import { verdictJson } from '../show/event-json'
import { count } from '../show/words'
import { escapeLine } from '../terminal'
import { type ExitCode, readLimit, type Surroundings } from '../verb'

export interface ImportFilesOptions {
  readonly json?: true
  readonly output: string
}

/** Converts flogfiles of Foolscap into incident files; a line for each. */
export async function importFiles(
  paths: readonly string[],
  { json, output }: ImportFilesOptions,
  io: Surroundings,
): Promise<ExitCode> {
  await mkdir(output, { recursive: true, mode: 0o700 })
  return eachFile(paths, io, async (path) => {
    const parts = await foolscapParts(path, io)
    const options = { clock: io.clock, version: VERSION }
    const { path: made, header, events, source } = await importIncident(parts, output, options)
    for (const { message } of source.damage) io.talk(`flog: ${escapeLine(path)}: ${escapeLine(message)}`)
    if (json) {
      const line = { file: path, path: made, id: header.id, events, verdict: verdictJson(source) }
      io.out.line(JSON.stringify(line))
    } else io.out.line(`${escapeLine(made)}: ${count(events, 'event')} of ${escapeLine(path)}`)
    await io.out.flush()
    return source.state === 'whole' || source.state === 'open'
  })
}

async function foolscapParts(path: string, io: Surroundings): Promise<AsyncIterable<IncidentPart>> {
  const options = { signal: io.signal, ...readLimit(io) }
  if (path === '-') {
    const { first, all } = await peek(io.streams.stdin, MAGIC_BYTES)
    refuseOthers(first.subarray(0, MAGIC_BYTES))
    return readFoolscap(all, options)
  }
  const first = await firstBytesOf(path, MAGIC_BYTES)
  if (first !== undefined) refuseOthers(first)
  return readFoolscapFile(path, options)
}

function refuseOthers(first: Uint8Array): void {
  if (isFoolscap(first)) return
  const what = startsLikeMagicLine(first) ? 'it is an incident file of flog already' : describeForeign(first)
  throw new FlogError('FLOG_FILE_NOT_INCIDENT', `not a Foolscap log: ${what}`)
}
