import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SystemClock } from '../../src/base/clock'
import { messageOf } from '../../src/base/errors'
import type { LocatedIncident } from '../../src/incident/listing'
import { readAcknowledged } from './acknowledged'
import { between, type Chance, seeded } from './chance'
import { Child, type Ended } from './child'
import { SmallDisk } from './disk'
import { judge } from './judge'
import { type Plan, RINGS } from './plan'
import { contentsOf, recover } from './recovery'
import { PARTS, type Row } from './rows'

export interface RunResult {
  /** Whether the one incident that should be there is. */
  readonly found: boolean
  readonly preLost: number
  readonly postLost: number
  /** Age of the oldest event that is missing, in ms before the death. */
  readonly lossMs: number
  /** From the start of `flog recover` until the finished incident is listed; absent where there is none. */
  readonly recoverMs?: number
  /** What fell short. */
  readonly why?: string
}

export interface RunOptions {
  /** Root of the built programs. */
  readonly dist: string
  /** Fixes what the run leaves to chance. */
  readonly seed: string
  readonly signal: AbortSignal
}

const clock = new SystemClock()

const NOTHING = { found: false, preLost: 0, postLost: 0, lossMs: 0 } as const

/** A run that hangs has fallen short. */
const RUN_MS = 60_000

/** Starts a program, lets its fate befall it, and looks at what is left: once, whatever comes of it. */
export async function runOnce(row: Row, { signal, ...rest }: RunOptions): Promise<RunResult> {
  const hangs = new AbortController()
  const stop = (): void => hangs.abort()
  const timer = clock.after(RUN_MS, () => hangs.abort(new Error(`it took more than ${RUN_MS} ms`)))
  signal.addEventListener('abort', stop, { once: true })
  try {
    signal.throwIfAborted()
    return await run(row, { ...rest, signal: hangs.signal })
  } catch (error) {
    signal.throwIfAborted()
    return { ...NOTHING, why: messageOf(error) }
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', stop)
  }
}

async function run(row: Row, { dist, seed, signal }: RunOptions): Promise<RunResult> {
  const chance = seeded(seed)
  const cwd = await mkdtemp(join(tmpdir(), 'flog-survive-'))
  const directory = join(cwd, 'incidents')
  await mkdir(directory, { mode: 0o700 })
  const disk = row.fate?.onSmallDisk === true ? new SmallDisk(directory) : undefined
  let child: Child | undefined
  try {
    const plan = planOf(row, { chance, cwd, directory })
    child = new Child(plan, { dist, cwd, clock, signal, execArgv: row.execArgv ?? [] })
    let why: string | undefined = 'it did not get ready'
    if ((await child.line()) === 'ready') {
      why = await row.fate?.befall({ child, directory, clock, chance, signal, disk })
    }
    const ended = await child.ended
    signal.throwIfAborted()
    const left = await lookAt(row, { plan, directory, ended, dist, signal })
    const reason = wrongEnd(row, ended) ?? why ?? left.why
    return { ...left, ...(reason !== undefined && { why: reason }) }
  } finally {
    // Where something else failed it may still be turning, and would be in the way of the next ones.
    child?.kill('SIGKILL')
    disk?.end()
    await rm(cwd, { recursive: true, force: true })
  }
}

interface Place {
  readonly chance: Chance
  readonly cwd: string
  readonly directory: string
}

/** Up to 3000 events go before, so that rings have wrapped in half of the runs. */
function planOf(row: Row, { chance, cwd, directory }: Place): Plan {
  const sidecar = PARTS.has('sidecar')
  return {
    acknowledged: join(cwd, 'acknowledged'),
    options: {
      directory,
      rings: RINGS,
      reporter: { postTrigger: { events: 1_000_000, ms: 60_000 } },
      ...(sidecar && { sidecar }),
      ...row.options,
    },
    before: between(chance, row.fate?.onSmallDisk === true ? 1500 : 1, 3000),
    trigger: row.trigger,
    ...(row.fate === undefined && { after: between(chance, 1, row.leaves === 'died' ? 1500 : 150) }),
    ending: row.ending,
    blackBox: sidecar && row.fate?.onSmallDisk !== true,
  }
}

function wrongEnd({ ends }: Row, { code, signal, stderr }: Ended): string | undefined {
  if ((signal ?? code) !== ends) return `it ended with ${signal ?? code}, not ${ends}: ${stderr.slice(-2000)}`
  return stderr.includes('FlogWarning') ? `it warned: ${stderr.slice(-2000)}` : undefined
}

interface Remains {
  readonly plan: Plan
  readonly directory: string
  readonly ended: Ended
  readonly dist: string
  readonly signal: AbortSignal
}

async function lookAt(row: Row, remains: Remains): Promise<RunResult> {
  const { directory, dist, plan, ended, signal } = remains
  if (row.leaves === undefined) {
    const left = await readdir(directory)
    return left.length === 0 ? NOTHING : { ...NOTHING, why: `left behind: ${left.join(', ')}` }
  }
  const { incidents, ms, why } = await recover(directory, { dist, clock, signal })
  const { incident, problem } = theOne(row, incidents)
  if (incident === undefined) return { ...NOTHING, why: why ?? problem ?? 'there is no incident' }
  const contents = await contentsOf(incident.path)
  const acknowledged = readAcknowledged(plan.acknowledged)
  const trigger = row.trigger ? plan.before : undefined
  const facts = { acknowledged, trigger, diedAt: ended.diedAt, behindMs: row.behindMs }
  const judged = judge(facts, contents.numbers)
  const reason = why ?? problem ?? contents.why ?? judged.why
  return { ...judged, found: true, recoverMs: ms, ...(reason !== undefined && { why: reason }) }
}

/** The incident of the kind that was to be there, and what else should not be. */
function theOne(
  { leaves, diedBeside }: Row,
  incidents: readonly LocatedIncident[],
): { readonly incident: LocatedIncident | undefined; readonly problem: string | undefined } {
  const kinds = incidents.map(({ summary }) => summary.trigger.kind)
  const beside = kinds.filter((kind) => kind !== leaves)
  const mayBe = beside.length === 0 || (diedBeside === true && beside.join() === 'died')
  const isOne = kinds.length === beside.length + 1 && mayBe
  return {
    incident: incidents.find(({ summary }) => summary.trigger.kind === leaves),
    problem: isOne ? undefined : `incidents of these kinds: ${kinds.join(', ') || 'none'}`,
  }
}
