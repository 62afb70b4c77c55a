import { realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { IncidentPart } from '../../../src/incident/parser'
import type { RewriteOutcome } from '../../../src/incident/rewrite'
import { readSummary } from '../../../src/incident/summary'
import { readParts } from '../dump/source'
import { Problem, UsageError } from '../failure'
import { escapeLine } from '../terminal'
import type { Surroundings } from '../verb'

export interface TargetOptions {
  readonly output?: string
  readonly inPlace?: boolean
  readonly force?: boolean
}

/** Where a changed copy goes. */
export interface Target {
  readonly path: string
  /** As it was called. */
  readonly name: string
  readonly isInPlace: boolean
  readonly overwrite: boolean
  readonly fileMode?: number
}

/**
 * Decides where a changed copy of a file goes, before anything is read.
 * @throws UsageError where the options do not say, or say two things; Problem for a file that is not to be replaced
 */
export async function targetOf(path: string, { output, inPlace, force }: TargetOptions): Promise<Target> {
  if (output !== undefined && inPlace === true)
    throw new UsageError('both --output and --in-place are given', 'choose one of them')
  if (output !== undefined) return newTarget(path, output, force === true)
  if (inPlace !== true)
    throw new UsageError(
      'where is the result to go',
      'name a file with -o FILE, or replace this one with --in-place',
    )
  if (path === '-') throw new UsageError('standard input cannot be replaced', 'name a file with -o FILE')
  return placeOf(path)
}

async function newTarget(path: string, output: string, force: boolean): Promise<Target> {
  if (output === '-') {
    throw new UsageError(
      'a copy is a file: it cannot go to standard output',
      'name a file with -o FILE (-o ./- for one that is called so)',
    )
  }
  if (/\.(?:bz2|xz|zst|zip)$/i.test(output)) {
    throw new UsageError(
      `${output}: copies are compressed with gzip, or not at all`,
      'name a file that ends in .flog.gz or .flog',
    )
  }
  if (await isDirectory(output))
    throw new Problem(`${output}: it is a directory`, `name a file in it: -o ${join(output, 'copy.flog.gz')}`)
  if (force) return { path: output, name: output, isInPlace: false, overwrite: true }
  const there = await realpath(output).catch(() => undefined)
  if (there === undefined) return { path: output, name: output, isInPlace: false, overwrite: false }
  const isSame = path !== '-' && there === (await realpath(path).catch(() => undefined))
  throw new Problem(
    `${output}: there is a file of that name`,
    isSame ? 'to replace the file itself: --in-place' : 'to replace it: --force',
  )
}

function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

/** What a link leads to is replaced, not the link. */
async function placeOf(path: string): Promise<Target> {
  const { closeReason } = await readSummary(path)
  if (closeReason === undefined) {
    throw new Problem(
      `${path}: it is still being written, or its process died, so it is not replaced`,
      'write a copy with -o FILE, or finish it first with flog recover',
    )
  }
  const real = await realpath(path)
  const { mode } = await stat(real)
  return { path: real, name: path, isInPlace: true, overwrite: true, fileMode: mode & 0o777 }
}

/** In place, what is damaged would be gone for good. @throws Problem */
export function refuseDamaged(
  path: string,
  target: Target,
  { source }: RewriteOutcome,
  force: boolean,
): void {
  if (!target.isInPlace || force || source.state === 'whole') return
  throw new Problem(
    `${path}: it is damaged, so it is not replaced`,
    'write a copy with -o FILE; --force replaces it, without what is damaged',
  )
}

/** The parts of a file with all that is in it, also what this version does not know; of a foreign file, what there is. */
export async function* partsToCopy(path: string, io: Surroundings): AsyncGenerator<IncidentPart, void> {
  for await (const part of await readParts(path, io, true)) {
    if (part.kind === 'damage') io.talk(`flog: ${escapeLine(`${path}: ${part.damage.message}`)}`)
    yield part
  }
}
