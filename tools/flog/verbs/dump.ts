import type { Around } from '../dump/selection'
import type { DumpFormat } from '../dump/targets'
import { TIME_MODES, type TimeMode } from '../show/time'
import { type ExitCode, JSON_OPTION, MAX_SIZE_OPTION, type Verb } from '../verb'

export interface DumpOptions {
  readonly json?: true
  readonly format: DumpFormat
  readonly timestamps?: TimeMode
  readonly time?: TimeMode
  /** With what follows it on the command line, which may be files. */
  readonly only?: readonly string[]
  readonly where?: string
  readonly around?: Around | 'trigger'
  readonly tree?: true
  readonly merge?: true
  readonly follow?: true
}

export const dump: Verb<DumpOptions> = {
  name: 'dump',
  args: '[file...]',
  summary: 'print incident files: what led up to it, what set it off, what came after',
  options: [
    JSON_OPTION,
    {
      flags: '--format <format>',
      help: 'how to print; json is the same as --json',
      default: 'text',
      choices: ['text', 'json', 'logfmt', 'otlp', 'csv'],
    },
    {
      flags: '-t, --timestamps <mode>',
      help: 'in text, the time of an event; relative (default): seconds from the trigger',
      choices: TIME_MODES,
    },
    { flags: '--time <mode>', help: 'the same as --timestamps', choices: TIME_MODES },
    {
      flags: '--only <what...>',
      help: 'only events of trace=ID, span=ID or request=ID; of several, any one',
    },
    { flags: '--where <filter>', help: 'only events that match, as in flog filter: "facility:db wait>1000"' },
    {
      flags: '--around <seconds>',
      help: 'only so long before and after the trigger: 30, 500ms, or 30,5; also: trigger ±30',
      parse: (value) => {
        const { parseAround } = require('../dump/selection') as typeof import('../dump/selection')
        return parseAround(value)
      },
    },
    { flags: '--tree', help: 'put events below what caused them (parent), their span, or their trace' },
    { flags: '--merge', help: 'several files in one order by time; each event says of which file it is' },
    { flags: '-f, --follow', help: 'go on while the file grows, until its incident closes' },
    MAX_SIZE_OPTION,
  ],
  examples: [
    { command: 'flog dump incidents/*.flog.gz', does: 'read incidents' },
    {
      command: 'flog dump FILE --around 10 --where "severity>=warn"',
      does: 'what matters, near the trigger',
    },
    { command: 'flog dump FILE --only trace=4bf92f35 --tree', does: 'one request, as a tree' },
    { command: 'flog dump --merge shop.flog.gz stock.flog.gz', does: 'two services, side by side' },
    { command: 'flog dump --json FILE | jq .message', does: 'hand them to another program' },
    { command: 'ssh web-1 cat FILE | flog dump -', does: 'read from standard input' },
  ],
  notes: `Without a file, standard input is read where it is no terminal. Of an id of a trace or span the first 8 digits will do.

--json prints {"header":…}, one event a line, then {"trailer":…}. The event that began the incident has
"trigger": true, later ones "trigger": "further". What is wrong with a file comes with the trailer, as "verdict".
With --merge each line has "file", and seconds count from the trigger of the first file.

What stands out in a file is said above its events, unless it has more than 100,000 of them.

Exit code: 0 every file is whole or still open; 1 one is truncated, damaged or unreadable. All that is whole is printed.`,
  async run({ args, options, io }): Promise<ExitCode> {
    const { dumpFiles } = require('../dump/dump-files') as typeof import('../dump/dump-files')
    return dumpFiles(args, options, io)
  },
}
