import type { ExportFormat } from '../export/export-files'
import { type ExitCode, MAX_SIZE_OPTION, type Verb } from '../verb'

export interface ExportOptions {
  readonly format: ExportFormat
  readonly output?: string
  readonly where?: string
}

/** `export` is a word of the language. */
export const exportVerb: Verb<ExportOptions> = {
  name: 'export',
  args: '<file...>',
  summary: 'write incidents in a format of other tools',
  options: [
    {
      flags: '-F, --format <format>',
      help: 'what to write',
      default: 'jsonl',
      choices: ['jsonl', 'otlp', 'csv', 'chrome', 'perfetto', 'html', 'foolscap'],
    },
    {
      flags: '-o, --output <file>',
      help: 'where to, instead of standard output; replaced when it is complete',
    },
    {
      flags: '--where <filter>',
      help: 'only events that match, as in flog filter; not for html and foolscap',
    },
    MAX_SIZE_OPTION,
  ],
  examples: [
    { command: 'flog export FILE -F html -o ticket.html', does: 'one page to attach to a ticket' },
    { command: 'flog export FILE -F perfetto -o trace.json', does: 'open it in ui.perfetto.dev' },
    {
      command: 'flog export *.flog.gz -F otlp -o logs.jsonl',
      does: "for a collector's otlpjsonfile receiver",
    },
    { command: 'flog export FILE -F csv > events.csv', does: 'for a spreadsheet' },
  ],
  notes: `jsonl      one event a line, as flog dump --json
otlp       OpenTelemetry logs as JSON, one LogsData of at most 512 records a line
csv        RFC 4180; cells that a spreadsheet would take for formulas begin with an apostrophe
chrome     trace viewer and Perfetto: facilities are tracks, spans slices; perfetto is the same
html       one file with the incident and the page that shows it; needs no network
foolscap   a flogfile, for flogtool

html and foolscap take one file. Exit code: 0 all is written; 1 a file is truncated, damaged or unreadable.`,
  async run({ args, options, io }): Promise<ExitCode> {
    const { exportFiles } = require('../export/export-files') as typeof import('../export/export-files')
    return exportFiles(args, options, io)
  },
}
