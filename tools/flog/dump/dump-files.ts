import type { IncidentPart } from '../../../src/incident/parser'
import { eachFile, tellFailure } from '../each-file'
import { UsageError } from '../failure'
import type { ExitCode, Surroundings } from '../verb'
import type { DumpOptions } from '../verbs/dump'
import { mergeByTime } from './merge'
import { selectionOf, tellApart } from './selection'
import { readParts } from './source'
import { targetFor } from './targets'
import { partsOf, type Target, type WriteOptions, writeParts } from './write-parts'

/** Prints files, one after the other or merged; of none that are named, standard input. */
export async function dumpFiles(
  args: readonly string[],
  options: DumpOptions,
  io: Surroundings,
): Promise<ExitCode> {
  const { paths: given, selects } = tellApart(args, options)
  if (given.length === 0 && io.streams.stdin.isTTY)
    throw new UsageError('which file is to be printed', 'name incident files, or - for standard input')
  const paths = given.length === 0 ? ['-'] : given
  checkTogether(paths, options)
  const selection = selectionOf(selects)
  const target = targetFor(options.json === true ? 'json' : options.format, io.out, io.style, {
    mode: options.timestamps ?? options.time ?? 'relative',
    tree: options.tree === true,
    merged: options.merge === true && paths.length > 1,
    live: options.follow === true,
    selects: selection !== undefined,
  })
  const writing = { out: io.out, talk: io.talk, selection, live: options.follow === true }
  const exitCode = await (options.merge === true
    ? dumpMerged(paths, target, writing, io)
    : dumpEach(paths, options, target, writing, io))
  target.end?.()
  return exitCode
}

function checkTogether(paths: readonly string[], options: DumpOptions): void {
  const { follow, merge, tree, json, format, timestamps, time } = options
  const isText = json !== true && format === 'text'
  if (json === true && format !== 'text' && format !== 'json')
    throw new UsageError(`both --json and --format ${format} are given`, 'choose one of them')
  if (!isText && (timestamps ?? time) !== undefined)
    throw new UsageError('--timestamps is for text only', 'the other formats say how their times are written')
  if (follow === true && paths.length > 1)
    throw new UsageError('--follow takes one file', 'of a directory: flog tail DIR')
  if (tree !== true) return
  if (!isText) throw new UsageError('--tree is for text only')
  if (follow === true || merge === true) throw new UsageError('--tree needs one file that is complete')
}

function dumpEach(
  paths: readonly string[],
  { follow, json, format }: DumpOptions,
  target: Target,
  writing: WriteOptions,
  io: Surroundings,
): Promise<ExitCode> {
  const isTitled = paths.length > 1 && json !== true && format === 'text'
  return eachFile(paths, io, async (path, index) => {
    const parts = follow === true && path !== '-' ? growing(path, io) : await readParts(path, io)
    if (isTitled) io.out.line(`${index === 0 ? '' : '\n'}${io.style.dim(`── ${path}`)}\n`)
    return writeParts(partsOf(path, parts), target, writing)
  })
}

function growing(path: string, io: Surroundings): AsyncIterable<IncidentPart> {
  const { growingFile } = require('../tail/growing-file') as typeof import('../tail/growing-file')
  return growingFile(path, io, () => io.out.flush())
}

async function dumpMerged(
  paths: readonly string[],
  target: Target,
  writing: WriteOptions,
  io: Surroundings,
): Promise<ExitCode> {
  let failed = false
  const tell = async (error: unknown, path: string): Promise<void> => {
    failed = true
    if (!io.signal.aborted) await tellFailure(error, path, io)
  }
  const inputs = []
  for (const path of paths) {
    const parts = await readParts(path, io).catch((error: unknown) => tell(error, path))
    if (parts !== undefined) inputs.push({ path, parts })
  }
  const whole = await writeParts(mergeByTime(inputs, tell), target, writing)
  return whole && !failed ? 0 : 1
}
