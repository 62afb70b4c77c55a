import { FlogError } from '../../../src/base/errors'
import { IncidentDirectory } from '../../../src/incident/directory'
import type { ExitCode, Surroundings } from '../verb'
import { followFile } from './follow-file'
import type { TailPrinter } from './printer'

/** Follows the newest open incident of a directory, then each one that begins; of each the last `lines` that are there. */
export async function followDirectory(
  path: string,
  lines: number,
  printer: TailPrinter,
  io: Surroundings,
): Promise<ExitCode> {
  const { signal, clock } = io
  const directory = new IncidentDirectory({ path })
  const there = await directory.list()
  const growing = there.findLast(({ closedAt }) => closedAt === undefined)
  const known = new Set(there.map(({ id }) => id))
  const watch = directory.watch({ signal, existing: true, keepAlive: true, clock })
  if (growing !== undefined) await follow(growing.id)
  else await printer.say(`no incident is open in ${path}; waiting for one`)
  for await (const notice of watch) {
    if (notice.kind === 'removed' || known.has(notice.id)) continue
    known.add(notice.id)
    await follow(notice.id)
  }
  return 0

  async function follow(id: string): Promise<void> {
    for (const located of await directory.locate(id)) {
      try {
        await followFile(located.path, lines, printer, io)
        return
      } catch (error) {
        // Finished, and renamed, between the look and the opening
        if (!FlogError.is(error, 'FLOG_FILE_MISSING')) throw error
      }
    }
  }
}
