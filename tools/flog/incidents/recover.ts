import { stat } from 'node:fs/promises'
import { Adopter, type AdoptionReport } from '../../../src/incident/adopt'
import { IncidentDirectory } from '../../../src/incident/directory'
import { Problem } from '../failure'
import { summaryJson } from '../show/event-json'
import { triggerText } from '../show/incident-text'
import { count } from '../show/words'
import { escapeLine } from '../terminal'
import type { ExitCode, Surroundings } from '../verb'

export interface RecoverOptions {
  readonly json?: true
  /** Where black boxes are kept, if not with the incidents. */
  readonly blackBox?: string
}

/** Adopts until nothing waits, and says what it did. */
export async function recoverDirectory(
  path: string,
  options: RecoverOptions,
  io: Surroundings,
): Promise<ExitCode> {
  const json = options.json === true
  const { blackBox: blackBoxDirectory } = options
  for (const place of [path, blackBoxDirectory ?? path]) {
    if (!(await stat(place)).isDirectory()) throw new Problem(`${place}: it is not a directory`)
  }
  const directory = new IncidentDirectory({
    path,
    onWarning: (warning) => io.talk(`flog: ${warning.message}`),
  })
  const places = blackBoxDirectory === undefined ? {} : { blackBoxDirectory }
  const adopter = new Adopter(directory, { clock: io.clock, ...places })
  const first = await adopter.sweep(io.signal)
  print(first, json, io)
  await io.out.flush()
  let leftAlone = first.leftAlone.length
  let done = first.adopted.length + first.removed.length
  if (first.waiting.length > 0) {
    io.talk(
      `flog: ${count(first.waiting.length, 'file')} of unknown processes: waiting to see whether they still grow`,
    )
    const rest = await adopter.settle(io.signal)
    print(rest, json, io)
    leftAlone += rest.leftAlone.length
    done += rest.adopted.length + rest.removed.length
  }
  if (done + leftAlone === 0) io.talk(`flog: nothing to recover in ${escapeLine(path)}`)
  return leftAlone === 0 ? 0 : 1
}

function print(
  { adopted, removed, leftAlone }: AdoptionReport,
  json: boolean,
  { out, style, talk }: Surroundings,
): void {
  for (const { path, summary } of adopted) {
    if (json) out.line(JSON.stringify({ recovered: path, ...summaryJson(summary) }))
    else out.line(`recovered ${escapeLine(path)}  ${triggerText(summary.trigger, style)}`)
  }
  for (const path of removed) {
    if (json) out.line(JSON.stringify({ removed: path }))
    else out.line(`removed   ${escapeLine(path)}  (of no use any more)`)
  }
  for (const { path, error } of leftAlone) {
    if (json) out.line(JSON.stringify({ leftAlone: path, code: error.code, message: error.message }))
    else talk(`flog: left alone ${escapeLine(path)}: ${escapeLine(error.message)}`)
  }
}
