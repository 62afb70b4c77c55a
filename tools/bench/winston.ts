import { median, type Result, result, round } from './measure'
import { runProgram } from './programs'

/** What the transport adds to a winston call, and to a program's start. */
export async function winstonTransport(quick: boolean): Promise<readonly Result[]> {
  return [call(quick ? 3 : 7), imported(quick ? 9 : 20)]
}

/** In processes of their own: what the engine compiles, and how, is decided anew in each, and moves the ratio by a tenth. */
function call(processes: number): Result {
  const runs = Array.from({ length: processes }, () => runProgram('winston', 25))
  const of = (name: string) => median(runs.map((run) => run[name] ?? Number.NaN))
  const ratios = runs.map((run) => run['ratio'] ?? Number.NaN)
  const figures = {
    'no-op ns': of('no-op ns'),
    'flog ns': of('flog ns'),
    lowest: round(Math.min(...ratios)),
    highest: round(Math.max(...ratios)),
    processes,
  }
  const name = 'winston with this transport / with a no-op transport'
  return result(name, median(ratios), 1.2, { aim: 1.12, figures })
}

function imported(processes: number): Result {
  const runs = Array.from({ length: processes }, () => runProgram('import'))
  const added = median(runs.map((run) => run['flog'] ?? Number.NaN))
  const winstonAlone = round(median(runs.map((run) => run['winston'] ?? Number.NaN)))
  const figures = { 'winston ms': winstonAlone, 'flight-log/winston ms': round(added), processes }
  return result('import of flight-log/winston over winston', added, 25, { unit: 'ms', figures })
}
