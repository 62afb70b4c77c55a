import { median, type Result, result, round } from './measure'
import { runProgram } from './programs'

/** What the second thread costs: the app thread a call, a service its throughput, the process its memory. */
export function sidecar(quick: boolean): readonly Result[] {
  return [call(quick ? 5 : 15), ...service(quick ? 4 : 12), memory(quick ? 3 : 7)]
}

type Run = Readonly<Record<string, number>>

/** Pairs of fresh processes, one after the other: each compiles anew, which moves a single ratio by a tenth. */
function call(pairs: number): Result {
  const runs = pairsOf(pairs, (mode) => runProgram('sidecar-call', mode, 100))
  const figures = {
    'with ns': typical(runs, (pair) => pair.with['cpu']),
    'without ns': typical(runs, (pair) => pair.without['cpu']),
    'with ns on the clock': typical(runs, (pair) => pair.with['wall']),
    'without ns on the clock': typical(runs, (pair) => pair.without['wall']),
    'ratio on the clock': typical(runs, (pair) => over(pair, 'wall')),
    'pairs of processes': pairs,
  }
  const ratio = typical(runs, (pair) => over(pair, 'cpu'))
  return result('call, app thread, with sidecar / without', ratio, 1.05, { figures })
}

/**
 * On two processors the sidecar and who loads the service share the second one; where they need more than that, throughput
 * falls with the app thread's own cost unchanged. So both are told. Two processes of the same service differ by some
 * percent: several pairs.
 */
function service(pairs: number): readonly Result[] {
  const runs: readonly Run[] = Array.from({ length: pairs }, () => runProgram('sidecar-load', TURNS))
  const of = (name: string): number => round(median(runs.map((run) => run[name] ?? Number.NaN)))
  const counts = { 'pairs of processes': pairs, 'turns of each': TURNS }
  const rates = { 'with per s': of('withRate'), 'without per s': of('withoutRate'), ...counts }
  const cpu = { 'with µs': of('withCpuUs'), 'without µs': of('withoutCpuUs'), ...counts }
  const throughput = 'HTTP requests/s without any recorder / with everything on'
  return [
    result(throughput, of('ratio'), 1.03, { figures: rates }),
    result('the same, app thread a request, with / without', of('cpuRatio'), 1.03, {
      figures: cpu,
    }),
  ]
}

/** Slices of half a second of either service. */
const TURNS = 6

const MiB = 1024 * 1024

function memory(pairs: number): Result {
  const runs = pairsOf(pairs, (mode) => runProgram('sidecar-memory', mode))
  const figures = {
    'rss with': typical(runs, (pair) => pair.with['resident']),
    'rss without': typical(runs, (pair) => pair.without['resident']),
    'finished file': typical(runs, (pair) => pair.with['bytes']),
    'pairs of processes': pairs,
  }
  const more = (figures['rss with'] - figures['rss without']) / MiB
  return result('memory of the sidecar, publisher idle, after an incident', more, 25, {
    unit: 'MiB',
    figures,
  })
}

interface Pair {
  readonly with: Run
  readonly without: Run
}

function pairsOf(count: number, run: (mode: 'with' | 'without') => Run): readonly Pair[] {
  return Array.from({ length: count }, () => ({ with: run('with'), without: run('without') }))
}

function typical(pairs: readonly Pair[], of: (pair: Pair) => number | undefined): number {
  return round(median(pairs.map((pair) => of(pair) ?? Number.NaN)))
}

function over(pair: Pair, name: string): number {
  return (pair.with[name] ?? Number.NaN) / (pair.without[name] ?? Number.NaN)
}
