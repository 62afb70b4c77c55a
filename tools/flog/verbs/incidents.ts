import { type ExitCode, JSON_OPTION, type Verb } from '../verb'

interface IncidentsOptions {
  readonly json?: true
  readonly follow?: true
  readonly since?: string
}

export const incidents: Verb<IncidentsOptions> = {
  name: 'incidents',
  args: '[logport-or-dir]',
  summary: 'list incidents: when, what set them off, where, how big',
  options: [
    JSON_OPTION,
    { flags: '-f, --follow', help: 'go on: print each incident that opens and closes' },
    { flags: '-S, --since <when>', help: 'leave out older ones: a time, or an age such as 90s, 10m, 2h, 3d' },
  ],
  examples: [
    { command: 'flog incidents ./incidents', does: 'what a directory holds' },
    { command: 'flog incidents ~/shop.logport --since 1d', does: 'what a running process can hand out' },
    { command: 'flog incidents ./incidents --follow --json', does: 'feed another program' },
  ],
  notes: 'Without an argument the logport is taken from FLOG_LOGPORT.',
  async run({ args, options, io }): Promise<ExitCode> {
    const { listIncidents } = require('../incidents/list') as typeof import('../incidents/list')
    const { parseSince } = require('../since') as typeof import('../since')
    return listIncidents(args[0], {
      json: options.json === true,
      follow: options.follow === true,
      since: options.since === undefined ? 0 : parseSince('--since', options.since, io.clock),
      io,
    })
  },
}
