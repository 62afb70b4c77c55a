import type { IncidentHeader } from '../../../src/incident/header'
import { UNKNOWN } from '../../../src/query/classify'
import { eachFile } from '../each-file'
import { UsageError } from '../failure'
import { verdictLine } from '../show/incident-text'
import { escapeLine } from '../terminal'
import type { ExitCode, Surroundings } from '../verb'
import { type Classified, classifying } from './classifying'
import { splitRules } from './load'
import { incidentPaths } from './targets'
import { unknownJson, unknownText } from './unknown'

export interface ClassifyOptions {
  readonly json: boolean
  readonly rules: readonly string[]
}

/**
 * A line for each incident with its categories, then what nobody knew. Keeps nothing: it says the same of the same files and
 * rules, as often as it is asked.
 */
export async function classifyFiles(
  given: readonly string[],
  options: ClassifyOptions,
  io: Surroundings,
): Promise<ExitCode> {
  const { rules, others } = splitRules(options.rules)
  const targets = [...given, ...others]
  if (targets.length === 0)
    throw new UsageError('nothing to classify was named', 'name incident files, or a directory of them')
  const classifiers = await classifying(rules, io)
  const paths = await incidentPaths(targets)
  if (paths.length === 0) io.talk(`flog: no incidents in ${escapeLine(targets.join(', '))}`)
  const unknown: IncidentHeader[] = []
  const exitCode = await eachFile(paths, io, async (path) => {
    const classified = await classifiers.classify(path)
    print(path, classified, options.json, io)
    await io.out.settle()
    const { header, verdict } = classified.recording
    if (classified.categories.length === 0 && header !== undefined) unknown.push(header)
    if (verdict === undefined || verdict.state === 'whole' || verdict.state === 'open') return true
    io.talk(`flog: ${escapeLine(path)}: ${verdictLine(verdict, io.talkStyle, header)}`)
    return false
  })
  if (options.json) for (const line of unknownJson(unknown)) io.out.line(JSON.stringify(line))
  else for (const line of withBlank(unknownText(unknown, io))) io.out.line(line)
  await io.out.flush()
  return classifiers.isBroken ? 1 : exitCode
}

function print(
  path: string,
  { recording, categories, by }: Classified,
  json: boolean,
  io: Surroundings,
): void {
  if (!json) {
    const known = categories.map(escapeLine).join(',')
    io.out.line(`${escapeLine(path)}: ${known === '' ? io.style.dim(UNKNOWN) : known}`)
    return
  }
  const { header } = recording
  io.out.line(
    JSON.stringify({
      file: path,
      id: header?.id ?? null,
      fingerprint: header?.trigger.fingerprint ?? null,
      categories,
      by: Object.fromEntries(by),
    }),
  )
}

function withBlank(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', ...lines]
}
