import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { on, once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { setTimeout as after } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type LoadResult, load } from './load'

const run = promisify(execFile)

export interface MainJobOptions {
  /** Where the built programs are: the root of `dist`. */
  readonly dist: string
  /** How long the shop is well before refunds begin, in ms. */
  readonly healthyMs: number
  readonly clients: number
  readonly say?: (line: string) => void
}

export interface MainJobResult {
  readonly load: LoadResult
  /** What `flog incidents --json` says, from another process. */
  readonly listed: readonly Record<string, unknown>[]
  /** Lines of `flog dump --json` of the file that was fetched. */
  readonly dump: readonly Record<string, unknown>[]
  /** What `flog verify` says of it, and its exit code. */
  readonly verified: string
  readonly stderr: string
}

/**
 * The main job on a real service: a shop under load breaks; from another process its incident is listed and fetched over
 * TLS, verified and read.
 */
export async function mainJob(options: MainJobOptions): Promise<MainJobResult> {
  const { say = () => {} } = options
  const directory = await mkdtemp(join(tmpdir(), 'flog-main-job-'))
  const service = await startShop(options.dist, join(directory, 'incidents'))
  try {
    say(`the shop serves on port ${service.port}`)
    const loaded = await breakIt(service, options, say)
    say(`${loaded.served} requests served, ${loaded.failed} failed`)
    const environment = { ...process.env, FLOG_LOGPORT: service.logport }
    const flog = async (...args: string[]) =>
      (
        await run(
          process.execPath,
          [join(options.dist, 'tools/flog/main.js'), ...args],
          flogOptions(environment),
        )
      ).stdout
    const listed = jsonLines(await flog('incidents', '--json'))
    say(`it has ${listed.length} incident(s); fetching`)
    const here = join(directory, 'fetched')
    await flog('fetch', '--all', '--to', here)
    const [name = ''] = (await readdir(here)).sort()
    const verified = await flog('verify', join(here, name))
    const dump = jsonLines(await flog('dump', '--json', join(here, name)))
    return { load: loaded, listed, dump, verified, stderr: service.stderr() }
  } finally {
    await service.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

/** Healthy load, then refunds among it, until they have led to an incident, and that is closed. */
async function breakIt(
  shop: Shop,
  options: MainJobOptions,
  say: (line: string) => void,
): Promise<LoadResult> {
  const { port } = shop
  const { clients } = options
  const healthy = await load({ port, clients, refunds: 0, signal: AbortSignal.timeout(options.healthyMs) })
  say(`healthy: ${healthy.served} requests; now some want refunds`)
  const ends = new AbortController()
  const broken = load({ port, clients, refunds: 0.05, signal: ends.signal })
  const patience = AbortSignal.timeout(BREAKS_WITHIN_MS)
  const closed = shop.incident('closed', patience)
  closed.catch(() => undefined)
  try {
    await shop.incident('opened', patience)
    // Each error that follows keeps the incident open for longer.
    await after(BROKEN_MS)
  } finally {
    ends.abort()
  }
  const { served, failed } = await broken
  await closed
  return { served: healthy.served + served, failed: healthy.failed + failed }
}

/** How long requests go on failing. */
const BROKEN_MS = 500
/** The pool is empty after a second or so, which leads to the first error; a window later the incident is closed. */
const BREAKS_WITHIN_MS = 20_000

type Phase = 'opened' | 'closed'

interface Shop {
  readonly port: number
  readonly logport: string
  /** Resolves when an incident comes to this phase; rejects where the shop ends before, and at the signal. */
  incident(phase: Phase, signal: AbortSignal): Promise<unknown>
  stderr(): string
  stop(): Promise<void>
}

async function startShop(dist: string, directory: string): Promise<Shop> {
  const child: ChildProcess = spawn(process.execPath, [join(dist, 'tools/main-job/shop.js'), directory], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString()
  })
  if (child.stdout === null) throw new Error('the shop has no stdout')
  const facts = createInterface(child.stdout)
  const ended = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`the shop ended with ${code}: ${stderr}`)),
  )
  ended.catch(() => undefined)
  const [line] = (await Promise.race([once(facts, 'line'), ended])) as [string]
  const { port, logport } = JSON.parse(line) as { port: number; logport: string }
  return {
    port,
    logport,
    incident: (phase, signal) => Promise.race([told(facts, phase, signal), ended]),
    stderr: () => stderr,
    async stop() {
      if (child.exitCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

/** Waits until the shop tells of an incident in this phase. */
async function told(facts: Interface, phase: Phase, signal: AbortSignal): Promise<void> {
  try {
    for await (const [line] of on(facts, 'line', { signal })) {
      if ((JSON.parse(String(line)) as { readonly phase?: Phase }).phase === phase) return
    }
  } catch (cause) {
    throw new Error(`the shop told of no incident that was ${phase}`, { cause })
  }
}

function flogOptions(env: NodeJS.ProcessEnv): {
  readonly env: NodeJS.ProcessEnv
  readonly maxBuffer: number
} {
  return { env, maxBuffer: 256 * 1024 * 1024 }
}

function jsonLines(text: string): readonly Record<string, unknown>[] {
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}
