import { canMount } from './disk'
import { PARTS, type Row } from './rows'
import { type RunResult, runOnce } from './run'

/** What a row came to. Times in ms. */
export interface RowResult {
  readonly name: string
  readonly runs: number
  /** Incidents that should be there, and that are. */
  readonly expected: number
  readonly found: number
  readonly preLost: number
  readonly postLost: number
  readonly lossMsMax: number
  /** Absent where there is nothing to recover. */
  readonly recoverMsMedian?: number
  readonly recoverMsMax?: number
  readonly pass: boolean
  /** The first run that fell short, and why. */
  readonly why?: string
}

export interface SuiteOptions {
  readonly dist: string
  readonly runs: number
  /** What the runs leave to chance depends on this, the row and the number of the run. */
  readonly seed: string
  readonly signal: AbortSignal
}

/** Programs at a time: a program that waits for a processor is late for everything. */
const AT_A_TIME = 2

/** @returns why a row cannot be run here, if so */
export function cannotRun({ needs, fate }: Row): string | undefined {
  if (needs !== undefined && !PARTS.has(needs)) return `needs the ${needs}`
  return fate?.onSmallDisk === true && !canMount() ? 'a disk may not be mounted here' : undefined
}

/** Runs a row so many times. A run that fell short is not tried again. */
export async function runRow(row: Row, { runs, seed, ...rest }: SuiteOptions): Promise<RowResult> {
  const results: RunResult[] = new Array(runs)
  let next = 0
  const worker = async (): Promise<void> => {
    for (let i = next++; i < runs; i = next++) {
      results[i] = await runOnce(row, { ...rest, seed: `${seed}/${row.name}/${i}` })
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, worker))
  return summed(row, results)
}

function summed(row: Row, results: readonly RunResult[]): RowResult {
  const sum = (of: (result: RunResult) => number): number => results.reduce((all, one) => all + of(one), 0)
  const times = results.flatMap(({ recoverMs }) => recoverMs ?? []).sort((a, b) => a - b)
  const falls = results.findIndex((result) => fallsShort(row, result))
  const counted = {
    name: row.name,
    runs: results.length,
    expected: row.leaves === undefined ? 0 : results.length,
    found: sum(({ found }) => Number(found)),
    preLost: sum(({ preLost }) => preLost),
    postLost: sum(({ postLost }) => postLost),
    lossMsMax: Math.round(Math.max(...results.map(({ lossMs }) => lossMs))),
    ...(times.length > 0 && {
      recoverMsMedian: Math.round(times[times.length >> 1] ?? 0),
      recoverMsMax: Math.round(times.at(-1) ?? 0),
    }),
    pass: falls < 0,
  }
  const fallen = results[falls]
  if (fallen === undefined) return counted
  const { preLost, postLost, why } = fallen
  return { ...counted, why: `run ${falls}: ${why ?? `${preLost} events lost before, ${postLost} after`}` }
}

function fallsShort({ leaves }: Row, { found, preLost, postLost, why }: RunResult): boolean {
  return why !== undefined || found !== (leaves !== undefined) || preLost + postLost > 0
}
