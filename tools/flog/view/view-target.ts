import { directorySource, fileSource } from '../../../src/viewer/file-source'
import { liveSource } from '../../../src/viewer/live-source'
import { ViewerServer } from '../../../src/viewer/server'
import type { ViewerSource } from '../../../src/viewer/source'
import { UsageError } from '../failure'
import { resolveTarget, type Target } from '../target'
import { escapeLine } from '../terminal'
import { type ExitCode, readLimit, type Surroundings } from '../verb'
import { untilAborted } from '../wait'
import { openBrowser } from './open-browser'

export interface ViewTargetOptions {
  readonly open: boolean
  readonly port: number
}

/** Serves the page until it is interrupted. The address goes to standard output, everything else does not. */
export async function viewTarget(
  args: readonly string[],
  { open, port }: ViewTargetOptions,
  io: Surroundings,
): Promise<ExitCode> {
  if (args.length > 1) throw new UsageError('one file, directory or logport at a time', 'or its directory')
  const { source, close } = await openSource(await resolveTarget(args[0], io), io)
  const server = new ViewerServer({ source, port, ...readLimit(io) })
  try {
    const address = await server.listen()
    io.out.line(address)
    await io.out.flush()
    const isOpened = open && (await openBrowser(address, io))
    io.talk(`flog: ${isOpened ? 'opened in the browser' : 'open this address in a browser'}; Ctrl-C ends`)
    await untilAborted(io.signal, io.clock)
    return 0
  } finally {
    await server.close()
    await close()
  }
}

interface Opened {
  readonly source: ViewerSource
  close(): Promise<void>
}

async function openSource(target: Target, io: Surroundings): Promise<Opened> {
  const close = async (): Promise<void> => undefined
  switch (target.kind) {
    case 'directory':
      return { source: directorySource(target.path), close }
    case 'file': {
      const { readableFile } = require('./readable-file') as typeof import('./readable-file')
      const { path, remove } = await readableFile(target.path, io)
      return { source: fileSource(path), close: remove }
    }
    case 'logport': {
      const { connectRemote, publisherText } = require('../remote') as typeof import('../remote')
      const remote = await connectRemote(target.logport, io)
      io.talk(`flog: connected to ${escapeLine(publisherText(remote))}`)
      return { source: liveSource(remote, publisherText(remote)), close: () => remote.close() }
    }
  }
}
