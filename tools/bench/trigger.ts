import { median, type Result, result, round } from './measure'
import { runProgram } from './programs'

/** What `programs/trigger.ts` and `programs/bare-write.ts` print; times in ms. */
type Figure = 'call' | 'durable' | 'longest' | 'bytes' | 'events' | 'write' | 'writeDurable'
type Run = Readonly<Partial<Record<Figure, number>>>

/** The first trigger of a fresh process, beside bare writes of the same bytes by equally fresh processes. */
export function trigger(quick: boolean): readonly Result[] {
  const processes = quick ? 7 : 20
  const runs = Array.from({ length: processes }, oneRun)
  const figures = {
    'call ms': typical(runs, 'call'),
    'bare write ms': typical(runs, 'write'),
    'durable ms': typical(runs, 'durable'),
    'bare write and fsync ms': typical(runs, 'writeDurable'),
    bytes: typical(runs, 'bytes'),
    events: typical(runs, 'events'),
    processes,
  }
  const longest = { 'longest of all ms': round(Math.max(...of(runs, 'longest'))), processes }
  return [
    result('first trigger, 8 MiB of history / bare write', ratio(runs, 'call', 'write'), 6, {
      aim: 3,
      figures,
    }),
    result('the same durable / write and fsync', ratio(runs, 'durable', 'writeDurable'), 3, { figures }),
    result('longest turn of the event loop until closed, median', typical(runs, 'longest'), 10, {
      unit: 'ms',
      figures: longest,
    }),
  ]
}

function oneRun(): Run {
  const flog: Run = runProgram('trigger')
  const bare = runProgram('bare-write', flog.bytes ?? 0)
  return { ...flog, write: bare['write'] ?? Number.NaN, writeDurable: bare['durable'] ?? Number.NaN }
}

function of(runs: readonly Run[], figure: Figure): readonly number[] {
  return runs.map((run) => run[figure] ?? Number.NaN)
}

function typical(runs: readonly Run[], figure: Figure): number {
  return round(median(of(runs, figure)))
}

/** Median of the ratios within each run: the two were measured one right after the other. */
function ratio(runs: readonly Run[], figure: Figure, by: Figure): number {
  return median(runs.map((run) => (run[figure] ?? Number.NaN) / (run[by] ?? Number.NaN)))
}
