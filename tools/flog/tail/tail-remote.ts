import { FlogError } from '../../../src/base/errors'
import type { Remote } from '../../../src/remote/client'
import type { Logport } from '../../../src/remote/logport'
import { isTailNotice, type TailItem } from '../../../src/remote/tail'
import { Problem } from '../failure'
import { connectRemote, publisherText } from '../remote'
import type { ExitCode, Surroundings } from '../verb'
import type { TailOptions } from '../verbs/tail'
import type { TailPrinter } from './printer'

/** Prints the events of a publisher until it is interrupted. */
export async function tailRemote(
  logport: Logport,
  options: TailOptions,
  printer: TailPrinter,
  io: Surroundings,
): Promise<ExitCode> {
  const remote = await connectRemote(logport, io)
  try {
    if (!remote.about.tail) {
      throw new Problem(
        `${publisherText(remote)} has no events to follow, only incidents`,
        'list them: flog incidents LOGPORT',
      )
    }
    await printer.say(`connected to ${publisherText(remote)}`)
    for await (const item of batched(remote.tail(tailRequest(options, io)), printer))
      await print(item, remote, printer)
    return 0
  } catch (error) {
    if (FlogError.is(error, 'FLOG_ABORTED') && io.signal.aborted) return 0
    throw error
  } finally {
    await remote.close()
  }
}

async function print(item: TailItem, remote: Remote, printer: TailPrinter): Promise<void> {
  if (!isTailNotice(item)) return printer.event(item)
  if (item.restarted !== undefined) await printer.say(`the process restarted: ${publisherText(remote)}`)
  if (item.missed > 0) await printer.missed(item.missed)
}

/** Passes items on, and shows what was printed whenever the next one is not there yet. */
async function* batched(
  items: AsyncGenerator<TailItem, void>,
  printer: TailPrinter,
): AsyncGenerator<TailItem, void> {
  try {
    for (;;) {
      const next = items.next()
      let here = false
      void next.then(
        () => {
          here = true
        },
        () => undefined,
      )
      await new Promise((resolve) => setImmediate(resolve))
      if (!here) await printer.flush()
      const { value, done } = await next
      if (done === true) return
      yield value
    }
  } finally {
    await items.return(undefined)
  }
}

function tailRequest({ severity, facility, grep, catchUp }: TailOptions, { signal }: Surroundings) {
  return {
    signal,
    catchUp: catchUp === true,
    ...(severity !== undefined && { severity }),
    ...(facility !== undefined && { facility }),
    ...(grep !== undefined && { grep }),
  }
}
