import { type ExitCode, MAX_SIZE_OPTION, type Verb } from '../verb'

export interface ScrubOptions {
  readonly output?: string
  readonly force?: true
  readonly field?: readonly string[]
  readonly pattern?: readonly string[]
  readonly default?: true
}

export const scrub: Verb<ScrubOptions> = {
  name: 'scrub',
  args: '[file]',
  summary: 'take secrets out of an incident file that was recorded already',
  options: [
    { flags: '--default', help: 'what recorders redact by default, and all that flog verify points out' },
    {
      flags: '--field <name...>',
      help: 'the values of fields: a name, at any depth, or a path such as user.card',
    },
    { flags: '--pattern <regex...>', help: 'every match of a regular expression: text, or /text/i' },
    { flags: '-o, --output <file>', help: 'write a copy instead; compressed if its name ends in .gz' },
    { flags: '--force', help: 'replace another file that is there; in place, also a damaged one' },
    MAX_SIZE_OPTION,
  ],
  examples: [
    { command: 'flog scrub FILE --default', does: 'tokens, keys, passwords, cookies …' },
    {
      command: 'flog scrub FILE --field email user.name',
      does: 'the value of every field email, and one path',
    },
    { command: "flog scrub FILE --pattern '\\b\\d{16}\\b' -o copy.flog.gz", does: 'card numbers, in a copy' },
  ],
  notes: `In the place of what is taken out stands [redacted]: in events, in the header with its trigger, and in the trailer. The
value of a field is taken out wherever else it stands, as a word of its own. The header says that the file was scrubbed.
Name the file first: --field and --pattern take all words that follow. Copies elsewhere are not touched.

Exit code: 0 done, or there was nothing to take out; 1 some of the file is damaged, or nothing could be written.`,
  async run({ args: [path], options, io }): Promise<ExitCode> {
    const { scrubFile } = require('../scrub/scrub-file') as typeof import('../scrub/scrub-file')
    return scrubFile(path, options, io)
  },
}
