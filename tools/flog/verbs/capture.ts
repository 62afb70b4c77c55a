import { type ExitCode, JSON_OPTION, type Verb } from '../verb'

export interface CaptureOptions {
  readonly json?: true
  readonly message: string
}

export const capture: Verb<CaptureOptions> = {
  name: 'capture',
  args: '[logport]',
  summary: 'ask a running process for an incident now',
  options: [
    JSON_OPTION,
    {
      flags: '-m, --message <why>',
      help: 'goes into the incident as its reason',
      default: 'somebody asked for it',
    },
  ],
  examples: [
    {
      command: 'flog capture ~/shop.logport.control -m "slow since 14:00"',
      does: 'what it did up to now, and does next',
    },
  ],
  notes: `It takes the control logport, not the one for reading. Without an argument it is taken from FLOG_LOGPORT.

Exit code: 0 the incident was begun; 1 it was not.`,
  async run({ args, options, io }): Promise<ExitCode> {
    const { captureIncident } =
      require('../fetch/capture-incident') as typeof import('../fetch/capture-incident')
    return captureIncident(args[0], options, io)
  },
}
