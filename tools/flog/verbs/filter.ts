import { parseSeverityOption } from '../option-values'
import { type ExitCode, MAX_SIZE_OPTION, type Verb } from '../verb'

export interface FilterOptions {
  readonly output?: string
  readonly inPlace?: true
  readonly force?: true
  readonly severity?: number
  readonly above?: number
  readonly facility?: string
  readonly stripFacility?: string
  readonly after?: string
  readonly before?: string
  readonly grep?: string
  readonly where?: string
  readonly trace?: string
}

export const filter: Verb<FilterOptions> = {
  name: 'filter',
  args: '<file>',
  summary: 'copy an incident file with only some of its events',
  options: [
    { flags: '-o, --output <file>', help: 'the file to write; compressed if its name ends in .gz' },
    { flags: '--in-place', help: 'replace the file itself' },
    { flags: '--force', help: 'replace another file that is there; in place, also a damaged one' },
    {
      flags: '-p, --severity <level>',
      help: 'only events of at least this severity',
      parse: parseSeverityOption('--severity'),
    },
    { flags: '--above <level>', help: 'the same', parse: parseSeverityOption('--above') },
    { flags: '--facility <name>', help: 'only this facility and those below it: db takes db and db.pool' },
    { flags: '--strip-facility <name>', help: 'all but this facility and those below it' },
    { flags: '--after <time>', help: 'from then on: -12s or +500ms from the trigger, or 2026-11-21T20:31' },
    { flags: '--before <time>', help: 'before then' },
    {
      flags: '-g, --grep <text>',
      help: 'only events with this text, in any case, or a match of /expression/i',
    },
    { flags: '--trace <id>', help: 'only events of this trace' },
    { flags: '-w, --where <expression>', help: 'only events that match; see below' },
    MAX_SIZE_OPTION,
  ],
  examples: [
    { command: 'flog filter FILE -o errors.flog.gz -p warn', does: 'what went wrong' },
    { command: 'flog filter FILE --in-place --after=-30s', does: 'the last 30 s before the trigger, and on' },
    {
      command: "flog filter FILE -o slow.flog -w 'facility:db wait>1000 -is:trigger'",
      does: 'what waited long for the database',
    },
  ],
  notes: `An expression: facility:db.pool  severity>=warn  trace:ID  request:ID  seq:17  is:trigger  has:user.id
  error:Timeout  user.id=7  ok!=true  wait>1000  path:cart  path~^/cart  after:-12s  "some text"  /text \\d+/i
Terms beside each other all have to match; OR, parentheses, and - or ! in front. fields.time>5 is the field named time.

The header stays whole, with the trigger, and says that the file was filtered, and how. A time of ten digits is in
seconds since 1970. Standard error tells how many of the events were copied.

Exit code: 0 all of the file could be read; 1 some of it is damaged, or nothing could be written.`,
  async run({ args: [path = ''], options, io }): Promise<ExitCode> {
    const { filterFile } = require('../filter/filter-file') as typeof import('../filter/filter-file')
    return filterFile(path, options, io)
  },
}
