import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import winston from 'winston'
import Transport from 'winston-transport'
import { IncidentTransport } from '../../../src/winston'
import { fields } from '../fields'
import { compare } from '../measure'

class NoOp extends Transport {
  override log(_info: unknown, next: () => void): void {
    next()
  }
}

/** Two loggers that differ in their transport, in turns; the argument is how many. */
async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'flog-bench-'))
  const transport = new IncidentTransport({ directory })
  const plain = winston.createLogger({ level: 'silly', transports: [new NoOp()] })
  const recorded = winston.createLogger({ level: 'silly', transports: [transport] })
  const contestants = {
    'no-op': (i: number) => void plain.debug('order accepted', fields(i)),
    flog: (i: number) => void recorded.debug('order accepted', fields(i)),
  }
  const turns = Number(process.argv[2])
  const { ratio, figures } = await compare(contestants, 'flog', 'no-op', { calls: 20_000, turns })
  recorded.close()
  await transport.flush()
  rmSync(directory, { recursive: true, force: true })
  process.stdout.write(`${JSON.stringify({ ratio, ...figures })}\n`)
}

void main()
