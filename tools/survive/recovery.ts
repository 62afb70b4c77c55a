import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from '../../src/base/clock'
import { type LocatedIncident, locateIncidents } from '../../src/incident/listing'
import { readIncidentFile } from '../../src/incident/reader'
import { FACILITY } from './plan'

const run = promisify(execFile)

export interface Recovery {
  readonly incidents: readonly LocatedIncident[]
  /** From the start of `flog recover`, node's own start included, until the finished incidents are listed. */
  readonly ms: number
  /** What is wrong with the directory. */
  readonly why?: string
}

/** What a user does: `flog recover DIR`, then a list. */
export async function recover(
  directory: string,
  { dist, clock, signal }: { readonly dist: string; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Recovery> {
  const start = clock.monotonic()
  const command = [join(dist, 'tools/flog/main.js'), 'recover', '--json', directory]
  const failure = await run(process.execPath, command, { signal }).then(
    () => undefined,
    (error: { readonly stdout?: string; readonly message: string }) => error,
  )
  signal.throwIfAborted()
  const { located, unreadable } = await locateIncidents(directory)
  const ms = clock.monotonic() - start
  const [bad] = unreadable
  const left = readdirSync(directory).filter((name) => !name.endsWith('.incident.flog.gz'))
  const why =
    failure !== undefined
      ? `flog recover: ${failure.message} ${failure.stdout ?? ''}`
      : bad !== undefined
        ? `${bad.error.message}`
        : left.length > 0
          ? `left behind: ${left.join(', ')}`
          : undefined
  return { incidents: located, ms, ...(why !== undefined && { why }) }
}

export interface Contents {
  /** The numbered events, in the order of the file. */
  readonly numbers: readonly number[]
  /** What is wrong with the file. */
  readonly why?: string
}

/** Reads an incident through, and so verifies it. */
export async function contentsOf(path: string): Promise<Contents> {
  const numbers: number[] = []
  let why: string | undefined = 'there is no verdict'
  for await (const part of readIncidentFile(path)) {
    if (part.kind === 'events') {
      for (const { event } of part.events)
        if (event.facility === FACILITY) numbers.push(Number(event.fields['n']))
    } else if (part.kind === 'verdict') {
      const { state, damage } = part.verdict
      why = state === 'whole' ? undefined : `the file is ${state}: ${damage[0]?.message ?? 'no trailer'}`
    }
  }
  return { numbers, ...(why !== undefined && { why }) }
}
