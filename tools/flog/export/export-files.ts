import { createWriteStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { selectionOf } from '../dump/selection'
import { readParts } from '../dump/source'
import { targetFor } from '../dump/targets'
import { partsOf, type Target, writeParts } from '../dump/write-parts'
import { eachFile, tellFailure } from '../each-file'
import { UsageError } from '../failure'
import { Output } from '../output'
import { createStyle } from '../style'
import type { ExitCode, Surroundings } from '../verb'
import type { ExportOptions } from '../verbs/export'

export type ExportFormat = 'jsonl' | 'otlp' | 'csv' | 'chrome' | 'perfetto' | 'html' | 'foolscap'

/** Writes files in another format, to standard output or to a file, which appears when it is complete. */
export async function exportFiles(
  paths: readonly string[],
  options: ExportOptions,
  io: Surroundings,
): Promise<ExitCode> {
  const { format, output, where } = options
  const isWhole = format === 'html' || format === 'foolscap'
  if (isWhole && paths.length > 1) throw new UsageError(`--format ${format} takes one file`)
  if (isWhole && where !== undefined)
    throw new UsageError(
      `--where is not for --format ${format}`,
      'flog filter first, and export what it wrote',
    )
  if (output === undefined) return writeAll(paths, options, io.out, io)
  return intoFile(output, io, (out) => writeAll(paths, options, out, io))
}

async function writeAll(
  paths: readonly string[],
  { format, where }: ExportOptions,
  out: Output,
  io: Surroundings,
): Promise<ExitCode> {
  const [path = '-'] = paths
  if (format === 'html' || format === 'foolscap') {
    const write = format === 'html' ? writeHtml : writeFoolscap
    return eachFile([path], io, (each) => write(each, out, io))
  }
  const selection = where === undefined ? undefined : selectionOf({ where })
  const target = targetOf(format, out, paths.length > 1)
  const exitCode = await eachFile(paths, io, async (each) => {
    return writeParts(partsOf(each, await readParts(each, io)), target, { out, talk: io.talk, selection })
  })
  target.end?.()
  await out.flush()
  return exitCode
}

function targetOf(
  format: Exclude<ExportFormat, 'html' | 'foolscap'>,
  out: Output,
  isOneOfMany: boolean,
): Target {
  if (format === 'chrome' || format === 'perfetto')
    return (require('./chrome') as typeof import('./chrome')).chromeTarget(out)
  return targetFor(format === 'jsonl' ? 'json' : format, out, createStyle(false), {
    mode: 'utc',
    merged: isOneOfMany,
  })
}

async function writeHtml(path: string, out: Output, io: Surroundings): Promise<boolean> {
  const { exportHtml } = require('./html') as typeof import('./html')
  const whole = await exportHtml(path, out, io)
  await out.flush()
  return whole
}

async function writeFoolscap(path: string, out: Output, io: Surroundings): Promise<boolean> {
  const { exportFoolscap } = require('./foolscap') as typeof import('./foolscap')
  const whole = await exportFoolscap(await readParts(path, io), out)
  await out.flush()
  return whole
}

/** Writes under another name, and renames what is complete. What is logged is nobody's business: only the user may read it. */
async function intoFile(
  path: string,
  io: Surroundings,
  write: (out: Output) => Promise<ExitCode>,
): Promise<ExitCode> {
  const unfinished = `${path}.${process.pid}.unfinished`
  const stream = createWriteStream(unfinished, { flags: 'wx', mode: 0o600 })
  let failure: unknown
  stream.on('error', (error) => {
    failure ??= error
  })
  try {
    const out = new Output(stream, () => undefined)
    const exitCode = await write(out)
    await out.flush()
    stream.end()
    await finished(stream)
    // Of files that could not be read there is nothing to put in the place of what is there.
    if (io.signal.aborted || stream.bytesWritten === 0) return 1
    await toDisk(unfinished)
    await rename(unfinished, path)
    return exitCode
  } catch (error) {
    if (failure === undefined) throw error
    await tellFailure(failure, path, io)
    return 1
  } finally {
    stream.destroy()
    await rm(unfinished, { force: true })
  }
}

async function toDisk(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
