import { median, type Result, result, round } from './measure'
import { runProgram } from './programs'

/** What the second thread costs: the app thread a call, a service its throughput, the process its memory. */
export function sidecar(quick: boolean): readonly Result[] {
  return [call(quick ? 5 : 15), ...service(quick ? 4 : 15), memory(quick ? 3 : 7), subscriber(quick ? 1 : 3)]
}

type Run = Readonly<Record<string, number>>

/** Several pairs of fresh processes: each compiles anew, which moves a single ratio by a tenth. */
function call(pairs: number): Result {
  const runs: readonly Run[] = Array.from({ length: pairs }, () => runProgram('sidecar-calls', 20))
  const of = (name: string): number => round(median(runs.map((run) => run[name] ?? Number.NaN)))
  const figures = {
    'with ns': of('with'),
    'without ns': of('without'),
    'pairs of processes': pairs,
  }
  return result('call, app thread, with sidecar / without', of('ratio'), 1.05, { figures })
}

/**
 * The service's app thread has a processor to itself, and who loads it another one, which it shares with the second thread.
 * Two processes of one program differ by some percent as it is: several pairs.
 */
function service(pairs: number): readonly Result[] {
  const runs: readonly Run[] = Array.from({ length: pairs }, () => runProgram('sidecar-load', TURNS))
  const of = (name: string): number => round(median(runs.map((run) => run[name] ?? Number.NaN)))
  const counts = {
    'pairs of processes': pairs,
    'turns of each': TURNS,
    'with processors of their own': of('isPlaced'),
  }
  const rates = { 'with per s': of('withRate'), 'without per s': of('withoutRate'), ...counts }
  const cpu = { 'with µs': of('withCpuUs'), 'without µs': of('withoutCpuUs'), ...counts }
  const throughput = 'HTTP requests/s without any recorder / with everything on'
  return [
    result(throughput, of('ratio'), HTTP_TARGET, { figures: rates }),
    result('the same, app thread a request, with / without', of('cpuRatio'), HTTP_TARGET, { figures: cpu }),
  ]
}

/** 97 % of the throughput. */
const HTTP_TARGET = round(1 / 0.97)
/** Slices of a tenth of a second of either service. */
const TURNS = 30

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

/** Subscribers that tail and take nothing: what is held for one is bounded, however much is logged. */
function subscriber(times: number): Result {
  const runs = Array.from({ length: times }, () => runProgram('sidecar-subscribers', SUBSCRIBERS))
  const each = median(runs.map((run) => (run['each'] ?? Number.NaN) / MiB))
  const figures = { subscribers: SUBSCRIBERS, 'times measured': times }
  return result('memory of a subscriber that takes nothing', each, SUBSCRIBER_MIB, { unit: 'MiB', figures })
}

const SUBSCRIBERS = 20
/** What the README states. */
const SUBSCRIBER_MIB = 2

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
