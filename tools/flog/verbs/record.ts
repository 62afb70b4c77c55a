import { parsePort, parseSeverityOption, parseWholeOption } from '../option-values'
import type { ExitCode, Verb } from '../verb'

export interface RecordOptions {
  readonly directory: string
  readonly service?: string
  readonly quiet?: true
  readonly severity: number | string
  readonly exit: boolean
  readonly postEvents?: number
  readonly postMs?: number
  readonly publish?: true
  readonly port: number
}

export const record: Verb<RecordOptions> = {
  name: 'record',
  args: '[command...]',
  summary: 'flight recorder for any program: records its output, keeps it when something goes wrong',
  passThrough: true,
  options: [
    { flags: '-d, --directory <dir>', help: 'where incidents go', default: './incidents' },
    { flags: '-s, --service <name>', help: "the service's name in incidents (default: the command's)" },
    {
      flags: '--severity <level>',
      help: 'a line of at least this severity begins an incident',
      default: 'error',
      parse: parseSeverityOption('--severity'),
    },
    { flags: '--no-exit', help: 'no incident when the program itself fails or is killed' },
    {
      flags: '--post-events <n>',
      help: 'lines to keep after the one that began it (default: 100)',
      parse: parseWholeOption('--post-events'),
    },
    {
      flags: '--post-ms <ms>',
      help: 'milliseconds to go on after it (default: 5000)',
      parse: parseWholeOption('--post-ms'),
    },
    { flags: '--publish', help: 'print a logport, for flog tail and flog fetch while it runs' },
    {
      flags: '--port <port>',
      help: 'with --publish: port to listen on; 0: any free one',
      default: '0',
      parse: parsePort,
    },
    { flags: '-q, --quiet', help: "print nothing: not the program's output, not where incidents are" },
  ],
  examples: [
    { command: 'flog record npm start', does: 'options of the program need no --' },
    { command: 'flog record --quiet -- ./server --port 80', does: 'print nothing' },
    { command: 'node server.js 2>&1 | flog record', does: 'as the end of a pipe' },
    { command: 'flog record --severity fatal -d /var/log/shop ./shop', does: 'only the worst' },
  ],
  notes: `Understands the JSON lines of winston, pino, bunyan and their relatives, and plain lines in which a time and a level stand
where loggers put them. A line that names no level is info, whichever stream it comes from. Stack traces stay with their line.

The program's output is passed on as it is, its input is yours, signals are passed on to it, and flog exits as it did:
with its exit code, or by the same signal. 127: there is no such command; 126: it cannot be run.`,
  async run({ args, options, io }): Promise<ExitCode> {
    const { recordOutput } = require('../record/record-output') as typeof import('../record/record-output')
    return recordOutput(args, options, io)
  },
}
