import type { ExitCode, Verb } from '../verb'

interface DemoOptions {
  readonly once?: true
  readonly directory: string
}

export const demo: Verb<DemoOptions> = {
  name: 'demo',
  args: '',
  summary: 'see it work: a small HTTP service with the recorder, load and a fault',
  options: [
    { flags: '--once', help: 'end after the first incident; so it does where nobody watches' },
    { flags: '-d, --directory <dir>', help: 'where incidents go', default: './incidents' },
  ],
  examples: [
    { command: 'flog demo', does: 'runs until Ctrl-C, with an incident now and then' },
    { command: 'flog demo --once -d /tmp/try', does: 'takes a few seconds' },
  ],
  async run({ options, io }): Promise<ExitCode> {
    const { runDemo } = require('../demo/run-demo') as typeof import('../demo/run-demo')
    return runDemo(options.directory, options.once === true || !io.interactive, io)
  },
}
