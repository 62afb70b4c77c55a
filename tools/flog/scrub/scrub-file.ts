import { invalidOption } from '../../../src/base/errors'
import { VERSION } from '../../../src/base/version'
import { encodePlainEvent } from '../../../src/codec/plain'
import type { RewriteMark } from '../../../src/incident/header'
import { rewriteIncident } from '../../../src/incident/rewrite'
import { Scrubber, type Scrubbing, type ScrubCounts } from '../../../src/query/scrub'
import { eachFile } from '../each-file'
import { UsageError } from '../failure'
import { partsToCopy, refuseDamaged, type Target, targetOf } from '../filter/rewriting'
import { count } from '../show/words'
import { escapeLine } from '../terminal'
import type { ExitCode, Surroundings } from '../verb'
import type { ScrubOptions } from '../verbs/scrub'

/** `flog scrub`: in the file's own place, or to another file. */
export async function scrubFile(
  path: string | undefined,
  options: ScrubOptions,
  io: Surroundings,
): Promise<ExitCode> {
  const scrubbing = scrubbingOf(options)
  if (path === undefined) {
    throw new UsageError(
      'which file is to be scrubbed',
      'name it first: --field and --pattern take all words that follow',
    )
  }
  if (path === '-') throw new UsageError('standard input can be read only once', 'name a file')
  const target = await targetOf(path, { ...options, inPlace: options.output === undefined })
  return eachFile([path], io, () => scrubTo(target, path, scrubbing, options.force === true, io))
}

async function scrubTo(
  target: Target,
  path: string,
  scrubbing: Scrubbing,
  force: boolean,
  io: Surroundings,
): Promise<boolean> {
  const scrubber = (await survey(path, scrubbing, io)).again()
  const { source, isWritten } = await rewriteIncident(partsToCopy(path, io), target.path, {
    ...target,
    mark: markOf(scrubbing, io.clock.now()),
    change: scrubber,
    approve: (outcome) => {
      refuseDamaged(path, target, outcome, force)
      return !target.isInPlace || scrubber.counts.values > 0
    },
  })
  const { counts } = scrubber
  const name = escapeLine(target.name)
  const nothing = target.isInPlace
    ? `flog: there is nothing to take out, ${name} stays as it is`
    : `flog: there was nothing to take out; ${name} is a copy`
  io.talk(
    isWritten && counts.values > 0
      ? `flog: took out ${count(counts.values, 'value')}${placesText(counts)}: ${name}`
      : nothing,
  )
  if (counts.unsearchedBlocks > 0) {
    const blocks = count(counts.unsearchedBlocks, 'block')
    io.talk(`flog: ${blocks} of a later version could not be searched, and may hold more`)
  }
  if (isWritten && counts.forgotten > 0) {
    const values = count(counts.forgotten, 'value')
    io.talk(`flog: too many different values: ${values} were taken out of their fields only, not elsewhere`)
  }
  return source.state === 'whole' || source.state === 'open'
}

/** What is taken out somewhere, so that it can be taken out everywhere. */
async function survey(path: string, scrubbing: Scrubbing, io: Surroundings): Promise<Scrubber> {
  const scrubber = new Scrubber(scrubbing)
  if (scrubbing.fields === undefined && scrubbing.defaults !== true) return scrubber
  for await (const part of partsToCopy(path, { ...io, talk: () => undefined })) {
    switch (part.kind) {
      case 'header':
        scrubber.header(part.header)
        break
      case 'events':
        for (const { event, bytes } of part.events) scrubber.event(bytes ?? encodePlainEvent(event))
        break
      case 'unknown':
        scrubber.unknown(part.payload)
        break
      case 'trailer':
        scrubber.trailer(part.trailer)
        break
    }
  }
  return scrubber
}

function scrubbingOf(options: ScrubOptions): Scrubbing {
  const { field, pattern, default: defaults } = options
  if (field === undefined && pattern === undefined && defaults !== true)
    throw new UsageError('what is to be taken out', 'name it with --field or --pattern, or take --default')
  if (field?.includes('') === true) throw invalidOption('--field', 'a name or a dotted path', '')
  return {
    ...(field !== undefined && { fields: field }),
    ...(pattern !== undefined && { patterns: pattern.map(patternOf) }),
    ...(defaults === true && { defaults }),
  }
}

function patternOf(text: string): RegExp {
  const [, source = text, flags = ''] = /^\/(.+)\/([imsu]{0,4})$/s.exec(text) ?? []
  let pattern: RegExp
  try {
    pattern = new RegExp(source, flags)
  } catch {
    throw invalidOption('--pattern', 'a regular expression; write \\ before what is meant as it stands', text)
  }
  if (!pattern.test('')) return pattern
  throw invalidOption('--pattern', 'an expression that does not match where there is nothing', text)
}

function markOf({ fields, patterns, defaults }: Scrubbing, at: number): RewriteMark {
  const names = [...(fields ?? []), ...(defaults === true ? ['(default list)'] : [])]
  return { by: 'scrub', at, flog: VERSION, fields: names, patterns: patterns?.length ?? 0 }
}

function placesText({ events, isHeaderChanged, isTrailerChanged }: ScrubCounts): string {
  const places = [
    ...(isHeaderChanged ? ['the header'] : []),
    ...(events > 0 ? [count(events, 'event')] : []),
    ...(isTrailerChanged ? ['the trailer'] : []),
  ]
  const last = places.pop()
  if (last === undefined) return ''
  return places.length === 0 ? ` of ${last}` : ` of ${places.join(', ')} and ${last}`
}
