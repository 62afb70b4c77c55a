import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import winston from 'winston'
import Transport from 'winston-transport'
import { IncidentTransport } from '../../src/winston'
import { fields } from './fields'
import { compare, median, type Result, result, round } from './measure'
import { runProgram } from './programs'

class NoOp extends Transport {
  override log(_info: unknown, next: () => void): void {
    next()
  }
}

/** What the transport adds to a winston call, and to a program's start. */
export async function winstonTransport(quick: boolean): Promise<readonly Result[]> {
  return [await call(quick), imported(quick ? 9 : 20)]
}

async function call(quick: boolean): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'flog-bench-'))
  const transport = new IncidentTransport({ directory })
  const plain = winston.createLogger({ level: 'silly', transports: [new NoOp()] })
  const recorded = winston.createLogger({ level: 'silly', transports: [transport] })
  const contestants = {
    'no-op': (i: number) => void plain.debug('order accepted', fields(i)),
    flog: (i: number) => void recorded.debug('order accepted', fields(i)),
  }
  const { ratio, figures } = await compare(contestants, 'flog', 'no-op', {
    calls: 20_000,
    turns: quick ? 15 : 60,
  })
  recorded.close()
  await transport.flush()
  rmSync(directory, { recursive: true, force: true })
  return result('winston with this transport / with a no-op transport', ratio, 1.2, { aim: 1.12, figures })
}

function imported(processes: number): Result {
  const runs = Array.from({ length: processes }, () => runProgram('import'))
  const added = median(runs.map((run) => run['flog'] ?? Number.NaN))
  const winstonAlone = round(median(runs.map((run) => run['winston'] ?? Number.NaN)))
  const figures = { 'winston ms': winstonAlone, 'flight-log/winston ms': round(added), processes }
  return result('import of flight-log/winston over winston', added, 25, { unit: 'ms', figures })
}
