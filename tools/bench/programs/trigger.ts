import fs, { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { createRecorder } from '../../../src/recorder/recorder'
import { fields } from '../fields'

/** One fresh process: 8 MiB of history below error, then the first trigger. */
async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'flog-bench-'))
  const eight = { trace: '2MiB', debug: '2MiB', info: '2MiB', warn: '2MiB' }
  const recorder = createRecorder({ directory, rings: eight, reporter: { postTrigger: { ms: 500 } } })
  await new Promise((resolve) => setTimeout(resolve, 300))
  for (let i = 0; i < 120_000; i++) recorder.log(SEVERITIES[i & 3] as number, 'order accepted', fields(i))
  await new Promise((resolve) => setTimeout(resolve, 100))

  const syncs = seenSyncs()
  const start = performance.now()
  recorder.error('payment {id} failed', { id: 7, err: new Error('no connection within 5000 ms') })
  const call = performance.now() - start
  const durable = syncs()
  const incident = recorder.currentIncident
  if (incident?.path === undefined) throw new Error('there is no incident')
  const bytes = statSync(incident.path).size
  const longest = longestTurn(incident.closed)
  const synced = (await durable) - start
  const summary = await incident.closed
  const figures = { call, durable: synced, longest: await longest, bytes, events: summary?.events?.total }
  await recorder.close()
  rmSync(directory, { recursive: true, force: true })
  process.stdout.write(`${JSON.stringify(figures)}\n`)
}

const SEVERITIES = [1, 5, 9, 13]

/** @returns a function that gives the time at which all fsyncs that were asked for until it is called are done */
function seenSyncs(): () => Promise<number> {
  const real = fs.fsync
  const asked: Promise<number>[] = []
  fs.fsync = ((fd: number, done: (error: NodeJS.ErrnoException | null) => void) => {
    asked.push(
      new Promise((resolve) => {
        real(fd, (error) => {
          resolve(performance.now())
          done(error)
        })
      }),
    )
  }) as typeof fs.fsync
  return async () => Math.max(...(await Promise.all([...asked])))
}

async function longestTurn(until: Promise<unknown>): Promise<number> {
  let running = true
  void until.then(() => {
    running = false
  })
  let longest = 0
  let last = performance.now()
  while (running) {
    await new Promise((resolve) => setImmediate(resolve))
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }
  return longest
}

void main()
