import { parsePort } from '../option-values'
import { type ExitCode, MAX_SIZE_OPTION, type Verb } from '../verb'

interface ViewOptions {
  readonly open: boolean
  readonly port: number
}

export const view: Verb<ViewOptions> = {
  name: 'view',
  args: '[file-dir-or-logport]',
  summary: 'look at an incident, a directory of them, or a running process in the browser',
  options: [
    { flags: '--port <port>', help: 'port to listen on; 0: any free one', default: '0', parse: parsePort },
    { flags: '--no-open', help: 'only print the address' },
    MAX_SIZE_OPTION,
  ],
  examples: [
    { command: 'flog view incidents/*.flog.gz', does: 'one incident; the shell names it' },
    { command: 'flog view ./incidents', does: 'the incidents of a directory, and those to come' },
    { command: 'flog view ~/shop.logport', does: 'what a process logs now' },
  ],
  notes: `The page is served on this machine only, until Ctrl-C. The address works once, in one browser. What the page shows (filter,
selected event, part of the time) stands in its own address, so that it can be bookmarked while it is served. To pass an
incident on: flog export --format html.`,
  async run({ args, options, io }): Promise<ExitCode> {
    const { viewTarget } = require('../view/view-target') as typeof import('../view/view-target')
    return viewTarget(args, { open: options.open, port: Number(options.port) }, io)
  },
}
