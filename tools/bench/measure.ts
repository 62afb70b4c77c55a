/** Figures of one run, and whether they reach what was promised. */
export interface Result {
  readonly name: string
  /** What is compared, divided by what it is compared with; or the figure itself where there is nothing to compare. */
  readonly ratio: number
  readonly target: number
  /** What we hope for beyond the target. */
  readonly aim?: number
  readonly pass: boolean
  readonly unit: string
  /** The figures behind the ratio, for people. */
  readonly figures: Readonly<Record<string, number>>
}

export function result(
  name: string,
  ratio: number,
  target: number,
  rest: { readonly aim?: number; readonly unit?: string; readonly figures: Readonly<Record<string, number>> },
): Result {
  const { unit = '×', ...others } = rest
  return { name, ratio: round(ratio), target, pass: ratio <= target, unit, ...others }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}

export function round(value: number): number {
  return Math.round(value * 1000) / 1000
}

/** Nanoseconds a call, over `calls` calls. */
export function nanoseconds(calls: number, action: (i: number) => void): number {
  const start = process.hrtime.bigint()
  for (let i = 0; i < calls; i++) action(i)
  return Number(process.hrtime.bigint() - start) / calls
}

/**
 * Runs contestants in turns, so that a machine that grows slower slows all of them, and compares them turn by turn.
 * @returns median nanoseconds of each, and the median of `of` divided by `by` within a turn
 */
export async function compare(
  contestants: Readonly<Record<string, (i: number) => void>>,
  of: string,
  by: string,
  options: { readonly calls: number; readonly turns: number },
): Promise<{ readonly ratio: number; readonly figures: Readonly<Record<string, number>> }> {
  const times = Object.fromEntries(Object.keys(contestants).map((name) => [name, [] as number[]]))
  for (let turn = -WARM_UP_TURNS; turn < options.turns; turn++) {
    for (const [name, action] of Object.entries(contestants)) {
      const time = nanoseconds(options.calls, action)
      if (turn >= 0) times[name]?.push(time)
      // Streams and timers want their turn, in every contestant.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const ratios = (times[of] ?? []).map((time, i) => time / (times[by]?.[i] ?? Number.NaN))
  const figures = Object.fromEntries(
    Object.entries(times).map(([name, all]) => [`${name} ns`, round(median(all))]),
  )
  return { ratio: median(ratios), figures }
}

const WARM_UP_TURNS = 5
