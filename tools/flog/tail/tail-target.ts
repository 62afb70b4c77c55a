import { resolveTarget } from '../target'
import type { ExitCode, Surroundings } from '../verb'
import type { TailOptions } from '../verbs/tail'
import { followDirectory } from './follow-directory'
import { followFile } from './follow-file'
import { TailPrinter } from './printer'
import { tailRemote } from './tail-remote'

/** Follows what was named until it is interrupted, or a file is at its end. */
export async function tailTarget(
  given: string | undefined,
  options: TailOptions,
  io: Surroundings,
): Promise<ExitCode> {
  const target = await resolveTarget(given, io)
  const printer = new TailPrinter(options, io)
  try {
    switch (target.kind) {
      case 'logport':
        return await tailRemote(target.logport, options, printer, io)
      case 'directory':
        return await followDirectory(target.path, linesToShow(options), printer, io)
      case 'file':
        return (await followFile(target.path, linesToShow(options), printer, io)) ? 0 : 1
    }
  } finally {
    await printer.close()
  }
}

/** How many of the events that are there already are shown. */
function linesToShow({ catchUp, lines = 10 }: TailOptions): number {
  return catchUp === true ? Number.POSITIVE_INFINITY : lines
}
