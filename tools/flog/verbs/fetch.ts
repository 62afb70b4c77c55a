import { type ExitCode, JSON_OPTION, type Verb } from '../verb'

export interface FetchOptions {
  readonly json?: true
  readonly all?: true
  readonly latest?: true
  readonly to: string
}

export const fetch: Verb<FetchOptions> = {
  name: 'fetch',
  args: '[logport-and-ids...]',
  summary: 'bring incident files here from a running process',
  options: [
    JSON_OPTION,
    { flags: '-a, --all', help: 'all that are finished' },
    { flags: '-l, --latest', help: 'the newest one, even if it is still open' },
    { flags: '-o, --to <dir>', help: 'where to put them; made where it is not there', default: '.' },
  ],
  examples: [
    {
      command: 'flog fetch ~/shop.logport --all --to ./incidents',
      does: 'those that are here already are left alone',
    },
    { command: 'flog fetch ~/shop.logport 5d1c…-3', does: 'one, by its id (see flog incidents)' },
    { command: 'flog fetch ~/shop.logport --latest | xargs flog dump', does: 'read what happened last' },
  ],
  notes: `Prints the path of each file. A fetch that is interrupted is resumed by the next one; a file has its name only when it is
whole and its checksum right. Without a logport as the first argument it is taken from FLOG_LOGPORT.`,
  async run({ args, options, io }): Promise<ExitCode> {
    const { fetchIncidents } =
      require('../fetch/fetch-incidents') as typeof import('../fetch/fetch-incidents')
    return fetchIncidents(args, options, io)
  },
}
