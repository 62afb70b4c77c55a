import { JSON_OPTION, type Verb } from '../verb'

interface DumpOptions {
  readonly json?: boolean
  readonly time: 'relative' | 'utc' | 'local' | 'epoch'
}

export const dump: Verb<DumpOptions> = {
  name: 'dump',
  args: '<file...>',
  summary: 'print incident files: what led up to it, what set it off, what came after',
  options: [
    JSON_OPTION,
    {
      flags: '-t, --time <mode>',
      help: 'how to show the time of an event; relative is to the trigger',
      default: 'relative',
      choices: ['relative', 'utc', 'local', 'epoch'],
    },
  ],
  examples: [
    { command: 'flog dump incidents/*.flog.gz', does: 'read incidents' },
    { command: 'flog dump --json FILE | jq .message', does: 'hand them to another program' },
    { command: 'ssh web-1 cat FILE | flog dump -', does: 'read from standard input' },
  ],
  notes: `--json prints {"header":…}, one event a line, then {"trailer":…}; the event that began the incident has
"trigger": true, later ones "trigger": "further". A damaged file ends with {"trailer":…,"verdict":…}.

Exit code: 0 every file is whole (or still open), 1 one is truncated, damaged or unreadable; what is whole was printed.`,
  async run({ args, options, io }) {
    return 0
  },
}
