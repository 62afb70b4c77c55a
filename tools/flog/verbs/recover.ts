import { type ExitCode, JSON_OPTION, type Verb } from '../verb'

interface RecoverOptions {
  readonly json?: true
  readonly blackBox?: string
}

export const recover: Verb<RecoverOptions> = {
  name: 'recover',
  args: '<dir>',
  summary: 'finish what dead processes left behind: open incidents, black boxes',
  options: [
    { flags: '--black-box <dir>', help: 'look for black boxes in that directory as well' },
    JSON_OPTION,
  ],
  examples: [{ command: 'flog recover ./incidents', does: 'finishes them, says what it did' }],
  notes: `A process that was killed leaves its black box: that becomes an incident with everything it had logged just before.
Files of living processes are not touched. Where it cannot be told whether a process lives (another boot, another
container), its file has to stand still for a minute first. A file of no bytes is removed when it is a minute old.

Exit code: 0 all is well; 1 a file had to be left alone.`,
  async run({ args, options, io }): Promise<ExitCode> {
    const { recoverDirectory } = require('../incidents/recover') as typeof import('../incidents/recover')
    return recoverDirectory(args[0] ?? '.', options, io)
  },
}
