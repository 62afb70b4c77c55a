import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { VERSION } from '../../src/base/version'
import { capture } from './capture'
import { claims } from './claims'
import { dump } from './dump'
import { engine } from './engine'
import type { Result } from './measure'
import { progress } from './progress'
import { sidecar } from './sidecar'
import { trigger } from './trigger'
import { viewer } from './viewer'
import { winstonTransport } from './winston'

const BENCHMARKS: Readonly<
  Record<string, (quick: boolean) => Promise<readonly Result[]> | readonly Result[]>
> = {
  capture,
  winston: winstonTransport,
  trigger,
  sidecar,
  dump,
  viewer,
  engine,
  progress,
  claims,
}

/** `npm run bench -- [capture winston trigger sidecar dump viewer engine progress claims] [--quick] [--json FILE]`; exits 1 where a target is missed. */
async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
  })
  const names = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS)
  const unknown = names.filter((name) => BENCHMARKS[name] === undefined)
  if (unknown.length > 0) {
    process.stderr.write(
      `no benchmark ${unknown.join(', ')}; there are ${Object.keys(BENCHMARKS).join(', ')}\n`,
    )
    process.exitCode = 2
    return
  }
  const results: Result[] = []
  for (const name of names) {
    for (const one of (await BENCHMARKS[name]?.(values.quick)) ?? []) {
      results.push(one)
      print(one)
    }
  }
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ machine: machine(), results }, null, 2)}\n`)
  if (results.some((one) => !one.pass)) process.exitCode = 1
}

function machine(): object {
  const [first] = cpus()
  return { cpu: first?.model ?? 'unknown', cores: cpus().length, node: process.version, flog: VERSION }
}

function print(one: Result): void {
  const mark = one.pass ? 'ok  ' : 'MISS'
  const aim = one.aim === undefined ? '' : `, aim ${one.aim}`
  const figures = Object.entries(one.figures).map(([name, value]) => `${name} ${value}`)
  process.stdout.write(`${mark} ${one.name}: ${one.ratio} ${one.unit} (target ${one.target}${aim})\n`)
  process.stdout.write(`       ${figures.join(', ')}\n`)
}

// Whoever reads as far as it wants, as `head` does, ends the benchmark with that.
process.stdout.on('error', () => process.exit(1))
void main()
