import { type ExitCode, JSON_OPTION, MAX_SIZE_OPTION, type Verb } from '../verb'

interface IncidentsOptions {
  readonly json?: true
  readonly follow?: true
  readonly since?: string
  readonly group?: true
  readonly rules?: readonly string[]
}

export const incidents: Verb<IncidentsOptions> = {
  name: 'incidents',
  args: '[logport-or-dir]',
  summary: 'list incidents: when, what set them off, where, how big',
  options: [
    JSON_OPTION,
    { flags: '-f, --follow', help: 'go on: print each incident that opens and closes' },
    { flags: '-S, --since <when>', help: 'leave out older ones: a time, or an age such as 90s, 10m, 2h, 3d' },
    { flags: '-g, --group', help: 'a line for each kind: how often, first and last seen, what sets it off' },
    {
      flags: '-r, --rules <file...>',
      help: 'with --group: files of rules or modules that give categories, see flog classify',
    },
    { ...MAX_SIZE_OPTION, help: 'with --rules: stop at a file that holds more than this, unpacked' },
  ],
  examples: [
    { command: 'flog incidents ./incidents', does: 'what a directory holds' },
    { command: 'flog incidents ~/shop.logport --since 1d', does: 'what a running process can hand out' },
    { command: 'flog incidents ./incidents --follow --json', does: 'feed another program' },
    { command: 'flog incidents ./incidents --group', does: 'what breaks most often' },
  ],
  notes: `Without an argument the logport is taken from FLOG_LOGPORT.

--group puts incidents together that have the same fingerprint: facility, severity, message without its numbers, error and
the first frame of the program's own code. The kind that came up most often is first; its trigger is that of the last one.`,
  async run({ args, options, io }): Promise<ExitCode> {
    const { parseSince } = require('../since') as typeof import('../since')
    const json = options.json === true
    const follow = options.follow === true
    const since = options.since === undefined ? 0 : parseSince('--since', options.since, io.clock)
    if (options.group !== true && options.rules === undefined) {
      const { listIncidents } = require('../incidents/list') as typeof import('../incidents/list')
      return listIncidents(args[0], { json, follow, since, io })
    }
    const { groupList } = require('../incidents/group') as typeof import('../incidents/group')
    return groupList(args[0], { json, follow, since, rules: options.rules ?? [], io })
  },
}
