import { systemCode } from '../../src/base/errors'

/** Characters that are gathered before they go to the stream: few system calls, little memory. */
const BATCH_CHARS = 64 * 1024

/** A stream that may be a terminal. */
export type OutputStream = NodeJS.WritableStream &
  Partial<Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'destroyed'>>

/**
 * Data on its way to standard output, or to a file: gathered in batches, no faster than the reader takes them.
 *
 * Write with {@link write}, and await {@link settle} between units of work: it waits while the reader is behind.
 */
export class Output {
  readonly #stream: OutputStream
  #batch = ''

  /** @param onClosed called when the reader has gone away, as `head` does */
  constructor(stream: OutputStream, onClosed: () => void) {
    this.#stream = stream
    stream.on('error', (error: unknown) => {
      if (systemCode(error) !== 'EPIPE') throw error
      onClosed()
    })
  }

  get isTTY(): boolean {
    return this.#stream.isTTY === true
  }

  /** Characters in a line; unbounded where the stream is no terminal, so that nothing is cut in a file. */
  get columns(): number {
    return this.isTTY ? this.#stream.columns || 80 : Number.POSITIVE_INFINITY
  }

  write(text: string): void {
    this.#batch += text
  }

  line(text = ''): void {
    this.write(`${text}\n`)
  }

  /** Passes a full batch on; resolves when the reader keeps up. */
  async settle(): Promise<void> {
    if (this.#batch.length >= BATCH_CHARS) await this.flush()
  }

  /** Passes everything on; resolves when the reader keeps up. */
  async flush(): Promise<void> {
    const text = this.#batch
    if (text === '') return
    this.#batch = ''
    if (!this.#stream.write(text)) await drained(this.#stream)
  }
}

/** Resolves when a stream takes data again, or never will. */
export function drained(stream: NodeJS.WritableStream & { readonly destroyed?: boolean }): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done)
      stream.off('close', done)
      stream.off('error', done)
      resolve()
    }
    if (stream.destroyed === true) return resolve()
    stream.on('drain', done)
    stream.on('close', done)
    stream.on('error', done)
  })
}
