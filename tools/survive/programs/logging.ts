import { once } from 'node:events'
import { readdirSync, writeSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { SystemClock } from '../../../src/base/clock'
import { ERROR } from '../../../src/event/severity'
import type { RecorderOptions } from '../../../src/recorder/options'
import { createRecorder, type Recorder } from '../../../src/recorder/recorder'
import { AcknowledgementWriter } from '../acknowledged'
import { type Account, FACILITY, type Plan, SEVERITIES } from '../plan'

/**
 * Logs numbered events in bursts and comes to the end that its plan says. Prints `ready` when the trigger has returned, or
 * would have come; `stuck` before it stops turning its event loop; an account of itself when it was told to end.
 */
const plan = JSON.parse(process.argv[2] ?? '{}') as Plan
const clock = new SystemClock()
const acknowledged = new AcknowledgementWriter(plan.acknowledged)
const recorder = createRecorder(plan.options as RecorderOptions)
const log = recorder.child({ facility: FACILITY })
let next = 0
let thrown = 0

function one(severity: number = SEVERITIES[next % SEVERITIES.length] ?? 1): void {
  const n = next++
  try {
    log.log(severity, 'event {n}', { n, text: 'some forty characters as they come along' })
  } catch {
    thrown++
  }
  acknowledged.add(clock.now())
}

/** Bursts of one to sixteen, a millisecond or two apart: some 5000 events a second, with `quietMs` of quiet now and then. */
async function until(count: number, quietMs = 1): Promise<void> {
  for (let bursts = 0; next < count; bursts++) {
    for (let left = 1 + (next % 16); left > 0 && next < count; left--) one()
    await pause(bursts % 24 === 23 ? quietMs : 1)
  }
}

/** Long enough for whoever polls to look less often. */
const QUIET_MS = 120

/** Nobody waits for a reader here: what is printed is in the pipe when this returns. */
function tell(what: string): void {
  writeSync(1, `${what}\n`)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve, { keepAlive: true }))
}

/** A program that was forgotten ends by itself. */
const FORGOTTEN_MS = 60_000

function busy(ms: number): void {
  const end = clock.monotonic() + ms
  while (clock.monotonic() < end);
}

function deeper(depth: number): number {
  return deeper(depth + 1) + 1
}

const ENDINGS: Readonly<Record<Plan['ending'], () => unknown>> = {
  exit: () => process.exit(3),
  end: () => undefined,
  throw: () =>
    clock.after(
      0,
      () => {
        throw new Error('uncaught')
      },
      { keepAlive: true },
    ),
  reject: () => void Promise.reject(new Error('unhandled')),
  'worker throws': () => new Worker('throw new Error("in a worker")', { eval: true }),
  overflow: () => clock.after(0, () => deeper(0), { keepAlive: true }),
  'caught overflow': () => {
    try {
      deeper(0)
    } catch {
      // As programs do that walk trees too deep for them.
    }
  },
  abort: () => process.abort(),
  'segmentation fault': () => process.kill(process.pid, 'SIGSEGV'),
  'out of memory': fillMemory,
  stuck: () => {
    tell('stuck')
    busy(FORGOTTEN_MS)
  },
  killed: () => until(Number.MAX_SAFE_INTEGER, plan.trigger ? 1 : QUIET_MS),
  told: endWhenTold,
}

/** Goes on logging while memory runs out. */
async function fillMemory(): Promise<void> {
  const hoard: unknown[] = []
  for (;;) {
    for (let i = 0; i < 20; i++) hoard.push(Array.from({ length: 1000 }, (_, n) => ({ n })))
    one()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function endWhenTold(): Promise<void> {
  let waiting = true
  void once(process.stdin.resume(), 'end').then(() => {
    waiting = false
  })
  while (waiting) await until(next + 16)
  await until(next + 16)
  await recorder.flush()
  await recorder.close()
  tell(JSON.stringify(accountOf(recorder)))
}

const warnings: string[] = []

function accountOf({ stats }: Recorder): Account {
  const { refused, lostEvents } = stats.call(recorder).incidents
  return { thrown, warnings, refused, lostEvents }
}

/** What is in memory only is lost with it: events count from when the black box is there. */
async function blackBoxIsThere(): Promise<void> {
  for (let ms = 0; ms < 5000; ms += 5) {
    if (readdirSync(recorder.directory).some((name) => name.endsWith('.blackbox.flog'))) return
    await pause(5)
  }
  throw new Error('the black box did not come')
}

async function main(): Promise<void> {
  if (plan.ending === 'told') recorder.on('warning', ({ code }) => warnings.push(code))
  if (plan.ending === 'killed') clock.after(FORGOTTEN_MS, () => process.exit(9))
  if (plan.blackBox) await blackBoxIsThere()
  // The better part at once, so that a run is short.
  for (const most = plan.before * 0.8; next < most; ) one()
  await until(plan.before)
  if (plan.trigger) one(ERROR)
  tell('ready')
  if (plan.after !== undefined) await until(next + plan.after)
  await ENDINGS[plan.ending]()
}

void main()
