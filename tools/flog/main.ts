#!/usr/bin/env node
import { describeFailure } from './failure'
import { Session } from './session'
import { escapeLines } from './terminal'
import type { ExitCode } from './verb'
import { packageVersion } from './version'

void main(process.argv.slice(2))

/** Runs the command line; sets the exit code rather than exiting, so that what was written gets out. */
async function main(argv: readonly string[]): Promise<void> {
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    process.stdout.write(`${packageVersion()}\n`)
    return
  }
  const session = new Session()
  process.exitCode = session.exitCodeOf(await run(argv, session))
}

async function run(argv: readonly string[], session: Session): Promise<ExitCode> {
  const { runProgram } = require('./program') as typeof import('./program')
  try {
    const exitCode = await runProgram(argv, {
      version: packageVersion(),
      surroundings: (color) => session.surroundings(color),
      writeOut: (text) => session.out.write(text),
      writeErr: (text) => process.stderr.write(text),
    })
    await session.out.flush()
    return exitCode
  } catch (error) {
    await session.out.flush()
    if (session.interrupted) return 1
    const failure = describeFailure(error)
    for (const [index, line] of failure.lines.flatMap(escapeLines).entries()) {
      process.stderr.write(`${index === 0 ? 'flog: ' : '  '}${line}\n`)
    }
    return failure.exitCode
  }
}
