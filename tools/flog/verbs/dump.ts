import { TIME_MODES, type TimeMode } from '../show/time'
import { type ExitCode, JSON_OPTION, type Verb } from '../verb'

interface DumpOptions {
  readonly json?: true
  readonly time: TimeMode
}

export const dump: Verb<DumpOptions> = {
  name: 'dump',
  args: '<file...>',
  summary: 'print incident files: what led up to it, what set it off, what came after',
  options: [
    JSON_OPTION,
    {
      flags: '-t, --time <mode>',
      help: 'how to show the time of an event; relative: seconds from the trigger',
      default: 'relative',
      choices: TIME_MODES,
    },
  ],
  examples: [
    { command: 'flog dump incidents/*.flog.gz', does: 'read incidents' },
    { command: 'flog dump --json FILE | jq .message', does: 'hand them to another program' },
    { command: 'ssh web-1 cat FILE | flog dump -', does: 'read from standard input' },
  ],
  notes: `--json prints {"header":…}, one event a line, then {"trailer":…}. The event that began the incident has
"trigger": true, later ones "trigger": "further". What is wrong with a file comes with the trailer, as "verdict".

Exit code: 0 every file is whole or still open; 1 one is truncated, damaged or unreadable. All that is whole is printed.`,
  async run({ args, options, io }): Promise<ExitCode> {
    const { readParts } = require('../dump/source') as typeof import('../dump/source')
    const { dumpText } = require('../dump/dump-text') as typeof import('../dump/dump-text')
    const { dumpJson } = require('../dump/dump-json') as typeof import('../dump/dump-json')
    const { eachFile } = require('../each-file') as typeof import('../each-file')
    return eachFile(args, io, async (path, index) => {
      const parts = await readParts(path, io)
      if (options.json) return dumpJson(parts, io)
      if (args.length > 1) io.out.line(`${index === 0 ? '' : '\n'}${io.style.dim(`── ${path}`)}\n`)
      return dumpText(parts, options.time, io)
    })
  },
}
