import type { Finding } from '../../query/stands-out'
import { whatStandsOut } from '../../query/stands-out'
import { loadInto } from './load'
import { Store } from './store'

/** The page's own script, while it runs: a second thread runs the same. */
const source = typeof document === 'undefined' ? '' : (document.currentScript?.textContent ?? '')

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string }
}

/** What stands out in a file, found by a second thread, so that the page stays quick; undefined where none can be had. */
export function findingsOf(
  chunks: readonly Uint8Array[],
  maxPlainBytes: number | undefined,
): Promise<readonly Finding[] | undefined> {
  return new Promise((resolve) => {
    try {
      const address = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
      const worker = new Worker(trusted(address))
      const end = (findings: readonly Finding[] | undefined): void => {
        worker.terminate()
        URL.revokeObjectURL(address)
        resolve(findings)
      }
      worker.onmessage = ({ data }) => end(data as readonly Finding[])
      worker.onerror = () => end(undefined)
      worker.postMessage({ chunks, maxPlainBytes } satisfies Asked)
    } catch {
      resolve(undefined)
    }
  })
}

let policy: ReturnType<TrustedTypes['createPolicy']> | undefined

/** The page's policy allows one use of trusted types of our own: this one. */
function trusted(address: string): string {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes }
  policy ??= trustedTypes?.createPolicy('flog-worker', { createScriptURL: (url) => url })
  return policy?.createScriptURL(address) ?? address
}

/** What the second thread is asked. */
interface Asked {
  readonly chunks: readonly Uint8Array[]
  readonly maxPlainBytes: number | undefined
}

/** The second thread: takes the pieces of a file, answers once. */
export function runWorker(): void {
  const scope = globalThis as unknown as {
    onmessage: ((event: { readonly data: Asked }) => void) | null
    postMessage(message: unknown): void
  }
  scope.onmessage = ({ data }) => {
    void answer(data).then((findings) => scope.postMessage(findings))
  }
}

async function answer({ chunks, maxPlainBytes }: Asked): Promise<readonly Finding[]> {
  const store = new Store()
  try {
    await loadInto(store, chunks, () => undefined, maxPlainBytes)
  } catch {
    // What could be read is looked at; the page itself says what is wrong with the file.
  }
  const { header, trailer, events, verdict } = store
  return whatStandsOut({ header, trailer, events, ...(verdict !== undefined && { verdict }) })
}
