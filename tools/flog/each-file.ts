import { describeFailure } from './failure'
import { escapeLine } from './terminal'
import type { ExitCode, Surroundings } from './verb'

/**
 * Does something for each file; one that cannot be read does not keep the others from their turn.
 * @returns 0 where `work` was true for all of them, else 1
 */
export async function eachFile(
  paths: readonly string[],
  io: Surroundings,
  work: (path: string, index: number) => Promise<boolean>,
): Promise<ExitCode> {
  let exitCode: ExitCode = 0
  for (const [index, path] of paths.entries()) {
    if (io.signal.aborted) return 1
    try {
      if (!(await work(path, index))) exitCode = 1
    } catch (error) {
      if (io.signal.aborted) return 1
      await tellFailure(error, path, io)
      exitCode = 1
    }
  }
  return exitCode
}

/** Says what is wrong with a file, after what was written so far. */
export async function tellFailure(error: unknown, path: string, io: Surroundings): Promise<void> {
  await io.out.flush()
  const [message = '', ...hints] = describeFailure(error).lines
  io.talk(`flog: ${escapeLine(message.includes(path) ? message : `${path}: ${message}`)}`)
  for (const hint of hints) io.talk(`  ${escapeLine(hint)}`)
}
