import { parseSeverityOption, parseWholeOption } from '../option-values'
import { type ExitCode, JSON_OPTION, type Verb } from '../verb'

export interface TailOptions {
  readonly json?: true
  readonly catchUp?: true
  readonly severity?: number
  readonly facility?: string
  readonly grep?: string
  readonly saveTo?: string
  readonly lines?: number
}

export const tail: Verb<TailOptions> = {
  name: 'tail',
  args: '[logport-dir-or-file]',
  summary: 'follow the events of a running process, or an incident file while it grows',
  options: [
    JSON_OPTION,
    { flags: '-c, --catch-up', help: 'begin with all that is held in memory, or in the file' },
    {
      flags: '-p, --severity <level>',
      help: 'only events of at least this severity',
      parse: parseSeverityOption('--severity'),
    },
    { flags: '--facility <name>', help: 'only this facility and those below it: db takes db and db.pool' },
    { flags: '-g, --grep <text>', help: 'only events with this text, in any case, anywhere in them' },
    { flags: '-s, --save-to <file>', help: 'append the events to a file too, as JSON lines' },
    {
      flags: '-n, --lines <n>',
      help: 'of a file, begin with this many of the events that are there (default: 10)',
      parse: parseWholeOption('--lines'),
    },
  ],
  examples: [
    { command: 'flog tail ~/shop.logport', does: 'what the process logs now, down to trace' },
    {
      command: 'flog tail ~/shop.logport -c --facility db -p debug',
      does: 'with what led up to now, of the database',
    },
    { command: 'flog tail ./incidents', does: 'each incident of a directory as it is written' },
    { command: 'flog tail --json | jq .fields', does: 'with FLOG_LOGPORT set' },
  ],
  notes: `Filters run in the publisher. When the connection is lost it is made again, and goes on where it stopped; what could not
be had is counted, on standard error and, with --json, as {"missed": n}.`,
  async run({ args, options, io }): Promise<ExitCode> {
    const { tailTarget } = require('../tail/tail-target') as typeof import('../tail/tail-target')
    return tailTarget(args[0], { ...options, lines: options.lines ?? 10 }, io)
  },
}
