import { parsePort } from '../option-values'
import type { ExitCode, Verb } from '../verb'

interface ServeOptions {
  readonly host: string
  readonly port: number
  readonly tls?: true
  readonly publicHost?: string
  readonly keys?: string
  readonly logportFile?: string
}

export const serve: Verb<ServeOptions> = {
  name: 'serve',
  args: '<dir>',
  summary: 'publish a directory of incidents, of processes that are gone or do not publish',
  options: [
    {
      flags: '--host <host>',
      help: 'address to listen on; beyond this machine --tls is needed',
      default: '127.0.0.1',
    },
    { flags: '--port <port>', help: 'port to listen on; 0: any free one', default: '0', parse: parsePort },
    { flags: '--tls', help: 'encrypt; the certificate is made by itself and named by the logport' },
    {
      flags: '--public-host <host>',
      help: "how others call this machine (default: HOST, or the machine's name)",
    },
    {
      flags: '--keys <dir>',
      help: 'where the secrets are kept, so that the logport stays the same (default: DIR/.flog)',
    },
    { flags: '--logport-file <file>', help: 'write the logport to this file too, readable by you alone' },
  ],
  examples: [
    { command: 'flog serve ./incidents', does: 'prints the logport, serves until Ctrl-C' },
    { command: 'flog serve ./incidents --host 0.0.0.0 --tls --port 7321', does: 'for other machines' },
  ],
  notes:
    'The logport is a secret: whoever has it can read the incidents. It goes to standard output, everything else does not.',
  async run({ args, options, io }): Promise<ExitCode> {
    const { serveDirectory } =
      require('../serve/serve-directory') as typeof import('../serve/serve-directory')
    return serveDirectory({
      ...options,
      path: args[0] ?? '.',
      port: Number(options.port),
      tls: options.tls === true,
      io,
    })
  },
}
