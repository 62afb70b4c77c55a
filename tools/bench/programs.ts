import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/**
 * Runs a program of `programs/` in a fresh process and takes the figures that it prints as JSON.
 * @param name file name without suffix
 */
export function runProgram(name: string, ...args: readonly (string | number)[]): Record<string, number> {
  const program = join(__dirname, 'programs', `${name}.js`)
  const output = execFileSync(process.execPath, ['--expose-gc', program, ...args.map(String)], {
    encoding: 'utf8',
  })
  return JSON.parse(output.trim().split('\n').at(-1) ?? '{}') as Record<string, number>
}
