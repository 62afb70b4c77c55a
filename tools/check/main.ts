import { ambient } from './ambient'
import type { Check, Finding } from './check'
import { command } from './command'
import { layers } from './layers'

/** What `npm run check` looks at; each can be asked for by name. */
const CHECKS: Readonly<Record<string, Check>> = {
  types: command('tsc', ['-p', 'tsconfig.test.json']),
  page: command('tsc', ['-p', 'src/viewer/page']),
  lint: command('biome', ['check', '--error-on-warnings']),
  layers,
  ambient,
  dead: command('knip', ['--no-progress']),
  package: command('publint', ['run', '--strict', '--pack', 'npm']),
}

/** Runs all that was asked for, also when one fails; exit code 1 when one does, 2 for a name that is none. */
async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => CHECKS[name] === undefined)
  if (unknown.length > 0) {
    process.stderr.write(`no check ${unknown.join(', ')}; there are ${Object.keys(CHECKS).join(', ')}\n`)
    process.exitCode = 2
    return
  }
  let failed = 0
  const asked = Object.entries(CHECKS).filter(([name]) => names.length === 0 || names.includes(name))
  for (const [name, check] of asked) {
    const finding = await check(process.cwd())
    print(name, finding)
    if (!finding.ok) failed++
  }
  process.stdout.write(`\n${asked.length - failed} passed, ${failed} failed\n`)
  if (failed > 0) process.exitCode = 1
}

function print(name: string, { ok, report }: Finding): void {
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${name}${ok ? '' : `\n${report}`}\n`)
}

void main(process.argv.slice(2))
