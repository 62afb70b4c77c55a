import { PassThrough } from 'node:stream'
import { SystemClock } from '../../../src/base/clock'
import { Output } from '../../../tools/flog/output'
import { createStyle } from '../../../tools/flog/style'
import type { Surroundings } from '../../../tools/flog/verb'

export interface Captured {
  readonly io: Surroundings
  /** What went to standard output and to standard error. */
  text(): Promise<{ readonly out: string; readonly talk: string }>
}

/** Surroundings of a verb without a process around it. */
export function capturedSurroundings(): Captured {
  const stream = new PassThrough()
  let written = ''
  stream.on('data', (chunk) => {
    written += chunk
  })
  const out = new Output(stream as unknown as NodeJS.WriteStream, () => undefined)
  const talked: string[] = []
  const style = createStyle(false)
  const io: Surroundings = {
    out,
    style,
    talkStyle: style,
    env: {},
    clock: new SystemClock(),
    signal: new AbortController().signal,
    interactive: false,
    streams: process,
    talk: (line) => talked.push(`${line}\n`),
    takeSignals: () => undefined,
    onOutputClosed: () => undefined,
  }
  return {
    io,
    async text() {
      await out.flush()
      await new Promise((resolve) => setImmediate(resolve))
      return { out: written, talk: talked.join('') }
    },
  }
}
