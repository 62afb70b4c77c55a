import { stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { randomHex, systemRandom } from '../../../src/base/random'
import { IncidentDirectory } from '../../../src/incident/directory'
import { directorySource } from '../../../src/remote/directory-source'
import { replacePrivate } from '../../../src/remote/private-file'
import { createPublisher } from '../../../src/remote/publisher'
import type { About } from '../../../src/remote/source'
import { Problem } from '../failure'
import { count } from '../show/words'
import { KEYS_DIRECTORY } from '../target'
import { escapeLine } from '../terminal'
import type { ExitCode, Surroundings } from '../verb'
import { packageVersion } from '../version'
import { untilAborted } from '../wait'

export interface ServeDirectoryOptions {
  readonly path: string
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly publicHost?: string
  readonly keys?: string
  readonly logportFile?: string
  readonly io: Surroundings
}

/** Addresses to listen on that are none to connect to. */
const ANY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::', '[::]'])

/** Publishes a directory until it is interrupted. */
export async function serveDirectory(options: ServeDirectoryOptions): Promise<ExitCode> {
  const { path, host, port, tls, io } = options
  if (!(await stat(path)).isDirectory()) throw new Problem(`${path}: it is not a directory`)
  const directory = new IncidentDirectory({
    path,
    onWarning: (warning) => io.talk(`flog: ${warning.message}`),
  })
  const { incidents } = await directory.scan()
  const about = aboutDirectory(path, io)
  const publisher = await createPublisher({
    incidents: directorySource(directory, io.clock),
    about: () => about,
    keys: options.keys ?? join(path, KEYS_DIRECTORY),
    host,
    port,
    tls,
    publicHost: options.publicHost ?? (ANY_ADDRESS.has(host) ? hostname() : host),
    clock: io.clock,
  })
  try {
    if (options.logportFile !== undefined)
      await replacePrivate(options.logportFile, `${publisher.url}\n`, systemRandom)
    io.out.line(publisher.url)
    await io.out.flush()
    io.talk(`flog: serving ${count(incidents.length, 'incident')} of ${escapeLine(path)}; end with Ctrl-C`)
    io.talk(
      `      elsewhere: flog incidents LOGPORT, flog fetch LOGPORT --all (LOGPORT: the line above, quoted)`,
    )
    await untilAborted(io.signal, io.clock)
    return 0
  } finally {
    await publisher.close()
  }
}

function aboutDirectory(path: string, { clock }: Surroundings): About {
  return {
    service: `flog serve ${path}`,
    version: '',
    host: hostname(),
    pid: process.pid,
    incarnation: randomHex(systemRandom, 8),
    versions: { node: process.versions.node, flog: packageVersion() },
    startedAt: clock.now(),
  }
}
