import { VERSION } from '../../../src/base/version'
import { rewriteIncident } from '../../../src/incident/rewrite'
import { parseFilter } from '../../../src/query/filter'
import { eachFile } from '../each-file'
import { grouped } from '../show/words'
import { escapeLine } from '../terminal'
import type { ExitCode, Surroundings } from '../verb'
import type { FilterOptions } from '../verbs/filter'
import { filterText } from './expression'
import { partsToCopy, refuseDamaged, targetOf } from './rewriting'

/** `flog filter`: one file to another, or in its own place. */
export async function filterFile(path: string, options: FilterOptions, io: Surroundings): Promise<ExitCode> {
  const filter = parseFilter(filterText(options))
  const target = await targetOf(path, options)
  return eachFile([path], io, async () => {
    const { copied, read, source } = await rewriteIncident(partsToCopy(path, io), target.path, {
      ...target,
      mark: { by: 'filter', at: io.clock.now(), flog: VERSION, filter: filter.text },
      keeps: ({ event, mark }, header) =>
        filter.matches(event, {
          triggerTime: header.trigger.event.time,
          ...(mark !== undefined && { mark }),
        }),
      approve: (outcome) => {
        refuseDamaged(path, target, outcome, options.force === true)
        return true
      },
    })
    const lost = source.eventsLost ?? 0
    io.talk(
      `flog: copied ${grouped(copied)} of ${grouped(read)} events to ${escapeLine(target.name)}` +
        (lost === 0 ? '' : `; ${grouped(lost)} more could not be read`),
    )
    return source.state === 'whole' || source.state === 'open'
  })
}
