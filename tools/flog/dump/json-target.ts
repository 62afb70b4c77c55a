import type { Output } from '../output'
import { eventJson, headerJson, trailerJson, verdictJson } from '../show/event-json'
import { jsonText } from '../terminal'
import type { DumpedFile, Target } from './write-parts'

/**
 * Files as JSON lines: the header, the events, the trailer. A header that is damaged is null; so is a trailer that is
 * missing. The verdict comes with the trailer where something is wrong with the file.
 * @param named every line says which file it is of: they are merged
 */
export function jsonTarget(out: Output, named = false): Target {
  const begun = new Set<DumpedFile>()
  const line = (value: object, file: DumpedFile): void => {
    out.line(jsonText(named ? { ...value, file: file.path } : value))
  }
  const begin = (file: DumpedFile): void => {
    if (begun.has(file)) return
    begun.add(file)
    line(file.header === undefined ? { header: null } : headerJson(file.header), file)
  }
  return {
    header: begin,
    events(selected, file) {
      begin(file)
      const service = named && file.header !== undefined ? { service: file.header.service } : undefined
      for (const { event, mark } of selected) line({ ...eventJson(event, mark), ...service }, file)
    },
    verdict(verdict, file) {
      begin(file)
      const end = { trailer: file.trailer === undefined ? null : trailerJson(file.trailer) }
      line(verdict.state === 'whole' ? end : { ...end, verdict: verdictJson(verdict) }, file)
      begun.delete(file)
    },
  }
}
