import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { median, type Result, result, round } from './measure'
import { runProgram } from './programs'

/** Bytes of one event in the file of `programs/dump-files.ts`. */
const EVENT_BYTES = 90
const GIB = 2 ** 30

interface Run {
  readonly ms: number
  /** Until something came on standard output. */
  readonly firstMs: number
  readonly mebibytes: number
}

/** Reading: lines a second beside pino-pretty on the same events, the first line, and the memory of a large file. */
export async function dump(quick: boolean): Promise<readonly Result[]> {
  const directory = mkdtempSync(join(tmpdir(), 'flog-bench-'))
  try {
    return [
      await lines(directory, quick ? 200_000 : 1_000_000, quick ? 3 : 5),
      await firstLine(directory, quick ? 9 : 20),
      await memory(directory, quick ? GIB / 4 : 2 * GIB),
    ]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function lines(directory: string, events: number, turns: number): Promise<Result> {
  runProgram('dump-files', directory, events)
  const flog: number[] = []
  const pretty: number[] = []
  for (let turn = 0; turn < turns; turn++) {
    flog.push((await timed([DUMP, 'dump', '--color', 'always', join(directory, INCIDENT)])).ms)
    pretty.push((await timed([PRETTY, '--colorize'], join(directory, LINES))).ms)
  }
  const ratios = flog.map((ms, turn) => ms / (pretty[turn] ?? Number.NaN))
  const perSecond = (ms: readonly number[]) => Math.round((events / median(ms)) * 1000)
  return result(`flog dump / pino-pretty, time for ${events} events`, median(ratios), 0.2, {
    figures: {
      'flog events/s': perSecond(flog),
      'pino-pretty events/s': perSecond(pretty),
      'times as fast': round(1 / median(ratios)),
      turns,
    },
  })
}

/** The same file: what is first printed must not wait for what is last read. */
async function firstLine(directory: string, processes: number): Promise<Result> {
  const runs: number[] = []
  const bare: number[] = []
  for (let i = 0; i < processes; i++) {
    runs.push((await timed([DUMP, 'dump', join(directory, INCIDENT)], undefined, 'first')).firstMs)
    bare.push((await timed(['-p', '0'], undefined, 'first')).firstMs)
  }
  return result('first line of flog dump after the start of its process', median(runs), 150, {
    unit: 'ms',
    figures: { 'node -p 0 ms': round(median(bare)), 'longest ms': round(Math.max(...runs)), processes },
  })
}

async function memory(directory: string, bytes: number): Promise<Result> {
  const written = runProgram('dump-files', directory, Math.ceil(bytes / EVENT_BYTES), 'alone')
  const { mebibytes, ms } = await timed([DUMP, 'dump', join(directory, INCIDENT)])
  return result('memory of flog dump, at most', mebibytes, 200, {
    unit: 'MiB',
    figures: { 'file MiB': Math.round((written['bytes'] ?? 0) / 2 ** 20), seconds: round(ms / 1000) },
  })
}

const INCIDENT = 'dump.incident.flog'
const LINES = 'dump.jsonl'
const DUMP = join(__dirname, 'programs', 'dump-run.js')
const PRETTY = require.resolve('pino-pretty/bin.js')

/** Runs a Node program to its end, or to its first output; what it prints goes nowhere. */
function timed(args: readonly string[], input?: string, until: 'end' | 'first' = 'end'): Promise<Run> {
  const nowhere = openSync('/dev/null', 'r+')
  const stdin = input === undefined ? nowhere : openSync(input, 'r')
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(process.execPath, args, {
      stdio: [stdin, until === 'first' ? 'pipe' : nowhere, 'pipe'],
    })
    let firstMs = Number.NaN
    let said = ''
    child.stdout?.once('data', () => {
      firstMs = performance.now() - start
      child.kill()
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', (code) => {
      for (const file of new Set([nowhere, stdin])) closeSync(file)
      const ms = performance.now() - start
      if (code !== 0 && until === 'end') reject(new Error(`${args[0]} ended with ${code}: ${said}`))
      else resolve({ ms, firstMs, mebibytes: mebibytesOf(said) })
    })
  })
}

function mebibytesOf(said: string): number {
  const line = said.trim().split('\n').at(-1) ?? ''
  return line.startsWith('{')
    ? round(Number((JSON.parse(line) as Record<string, unknown>)['mebibytes']))
    : Number.NaN
}
