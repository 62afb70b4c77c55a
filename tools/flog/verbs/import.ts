import { type ExitCode, JSON_OPTION, MAX_SIZE_OPTION, type Verb } from '../verb'

interface ImportOptions {
  readonly json?: true
  readonly output: string
}

export const importVerb: Verb<ImportOptions> = {
  name: 'import',
  args: '<file...>',
  summary: 'convert Foolscap logs (.flog, .flog.bz2) into incident files',
  options: [
    {
      flags: '-o, --output <dir>',
      help: 'directory of the new files, made where it is missing',
      default: '.',
    },
    JSON_OPTION,
    MAX_SIZE_OPTION,
  ],
  examples: [
    { command: 'flog import -o incidents logs/*.flog.bz2', does: 'convert them, a line for each' },
    { command: 'flog dump OLD.flog.bz2', does: 'just read one: no conversion is needed' },
  ],
  notes: `Levels become severities, formats templates, Failures errors. What Foolscap wrote besides (incarnation, rx_time, from,
other levels) is kept as fields. Logs of a gatherer, of tail and of FLOGFILE are converted as well: nothing set them off, so
their trigger is a note of their start.

Exit code: 0 all of every file is converted; 1 one is cut, damaged or no Foolscap log. All that can be read is converted.`,
  async run({ args, options, io }): Promise<ExitCode> {
    const { importFiles } = require('../import/import-files') as typeof import('../import/import-files')
    return importFiles(args, options, io)
  },
}
