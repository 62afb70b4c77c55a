import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../src/base/clock'
import { FlogError } from '../../src/base/errors'
import { pause } from '../../src/base/pause'
import { readIncidentFile } from '../../src/incident/reader'
import { between, type Chance } from './chance'
import type { Child } from './child'
import type { SmallDisk } from './disk'
import type { Account } from './plan'

/** What a fate works with. */
export interface Surroundings {
  readonly child: Child
  readonly directory: string
  readonly clock: Clock
  readonly chance: Chance
  readonly signal: AbortSignal
  readonly disk: SmallDisk | undefined
}

/** What is done to a program from outside once it is ready. */
export interface Fate {
  /** Whether its directory is to be a disk of its own, with too little room for an incident. */
  readonly onSmallDisk?: true
  /** @returns what was wrong with how the program took it */
  befall(surroundings: Surroundings): Promise<string | undefined>
}

/** A moment in this many milliseconds after the program was ready, in which it logs some 300 events. */
const MOMENT_MS = 60
/** Without an incident: long enough for most of what is in the rings to be older than what may be lost. */
const LONG_MOMENT_MS = 400

/** A stall is to be on the disk this long after the event loop stopped turning: the threshold, and 300 ms. */
const STALL_MS = 1000 + 300
/** How long a stall is waited for. */
const PATIENCE_MS = 10_000

async function moment({ clock, chance, signal }: Surroundings, withinMs = MOMENT_MS): Promise<void> {
  await pause(clock, between(chance, 0, withinMs), signal, true)
}

function killed(by: NodeJS.Signals, withinMs = MOMENT_MS): Fate {
  return {
    async befall(surroundings) {
      await moment(surroundings, withinMs)
      surroundings.child.kill(by)
      return undefined
    },
  }
}

/** Killed when the stall is on the disk, and at some moment after it. */
const stuck: Fate = {
  async befall(surroundings) {
    const { child, directory, clock, signal } = surroundings
    if ((await child.line()) !== 'stuck') return 'it did not get stuck'
    const start = clock.monotonic()
    const waited = () => clock.monotonic() - start
    while (!(await isStallOnDisk(directory)) && waited() < PATIENCE_MS) await pause(clock, 5, signal, true)
    const ms = waited()
    await moment(surroundings)
    child.kill('SIGKILL')
    return ms <= STALL_MS ? undefined : `the stall was on the disk after ${Math.round(ms)} ms`
  },
}

async function isStallOnDisk(directory: string): Promise<boolean> {
  for (const name of readdirSync(directory)) {
    if (name.endsWith('.incident.flog') && (await holdsStall(join(directory, name)))) return true
  }
  return false
}

/** The file is there a moment before its header is, and that before its history and its trigger. */
async function holdsStall(path: string): Promise<boolean> {
  try {
    for await (const part of readIncidentFile(path)) {
      if (part.kind === 'events' && part.events.some(({ event }) => event.facility === 'process.stall'))
        return true
    }
  } catch (error) {
    if (!FlogError.is(error, 'FLOG_FILE_NOT_INCIDENT')) throw error
  }
  return false
}

const diskFull: Fate = {
  onSmallDisk: true,
  async befall(surroundings) {
    await moment(surroundings)
    surroundings.disk?.grow()
    const account = await accountOf(surroundings.child)
    if (typeof account === 'string') return account
    return account.refused > 0 ? troubleIn(account) : 'the disk was not full'
  },
}

const directoryDeleted: Fate = {
  async befall(surroundings) {
    const { directory, child } = surroundings
    await moment(surroundings)
    // The program may just be writing a file in it.
    rmSync(directory, { recursive: true, force: true, maxRetries: 10 })
    await moment(surroundings)
    const account = await accountOf(child)
    return typeof account === 'string' ? account : troubleIn(account)
  },
}

async function accountOf(child: Child): Promise<Account | string> {
  child.dismiss()
  const line = await child.line()
  return line === undefined ? 'it ended before it was told to' : (JSON.parse(line) as Account)
}

/** The program must not notice: no call may throw, each kind of trouble is told once. */
function troubleIn({ thrown, warnings, lostEvents }: Account): string | undefined {
  if (thrown > 0) return `${thrown} log calls threw`
  if (lostEvents > 0) return `${lostEvents} events were given up`
  const repeated = warnings.find((code, i) => warnings.indexOf(code) !== i)
  return repeated === undefined ? undefined : `warned more than once of ${repeated}`
}

/** Killed in the quiet, or in the middle of a burst. */
function killedLater(by: NodeJS.Signals): Fate {
  return killed(by, LONG_MOMENT_MS)
}

export const fates = { killed, killedLater, stuck, diskFull, directoryDeleted }
