import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { FlogError, messageOf } from '../base/errors'
import { type Random, systemRandom } from '../base/random'
import { Access } from './access'
import { loadPage, type Page, policyOf, servedHtml } from './page-html'
import type { LiveItem, SourceAnswer, ViewerSource } from './source'

export interface ViewerServerOptions {
  readonly source: ViewerSource
  /** Port on 127.0.0.1; default 0: any free one. */
  readonly port?: number
  /** Plain bytes of one incident at which the page stops reading; default: what the page takes, 1 GiB. */
  readonly maxPlainBytes?: number
  readonly page?: Page
  readonly random?: Random
}

const HEADERS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const

/** Serves the page, and what it shows, on this machine only, to who has the address. */
export class ViewerServer {
  readonly #source: ViewerSource
  readonly #page: Page
  readonly #html: string
  readonly #access: Access
  readonly #server: Server
  readonly #port: number
  readonly #maxPlainBytes: number | undefined
  readonly #ending = new AbortController()

  constructor(options: ViewerServerOptions) {
    const { source, port = 0, page = loadPage(), random = systemRandom, maxPlainBytes } = options
    this.#source = source
    this.#page = page
    this.#html = servedHtml(page)
    this.#access = new Access(random)
    this.#port = port
    this.#maxPlainBytes = maxPlainBytes
    this.#server = createServer((request, response) => {
      void this.#answer(request, response)
    })
  }

  /**
   * @returns the address for a browser; works once
   * @throws the system's error where the port cannot be had
   */
  async listen(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#port, '127.0.0.1', resolve)
    })
    this.#access.listening((this.#server.address() as AddressInfo).port)
    return this.#access.address
  }

  /** Ends what is under way. Idempotent. */
  async close(): Promise<void> {
    this.#ending.abort()
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined)
    try {
      const admission = this.#access.admit(request)
      if (admission.kind === 'refused')
        send(response, admission.status, 'text/plain', `${admission.message}\n`)
      else if (admission.kind === 'enter') this.#enter(response)
      else await this.#route(new URL(request.url ?? '/', 'http://localhost').pathname, request, response)
    } catch (error) {
      if (response.headersSent) response.destroy()
      else send(response, statusOf(error), 'text/plain', `${messageOf(error)}\n`)
    }
  }

  /**
   * Takes the token out of the address. By a page that goes on by itself, not by a redirection: at the end of one that began
   * in another place, a chat for instance, the browser would keep the new cookie back.
   */
  #enter(response: ServerResponse): void {
    response.setHeader('Set-Cookie', this.#access.setCookie)
    response.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'")
    send(
      response,
      200,
      'text/html',
      '<!doctype html><meta http-equiv="refresh" content="0;url=/"><title>flog</title><a href="/">to the page</a>\n',
    )
  }

  async #route(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, incident] = /^\/api\/incidents\/([^/]+)$/.exec(path) ?? []
    if (path === '/') {
      response.setHeader(
        'Content-Security-Policy',
        `${policyOf(this.#page, "'self'")}; frame-ancestors 'none'`,
      )
      send(response, 200, 'text/html', this.#html)
    } else if (path === '/api/source') {
      send(response, 200, 'application/json', JSON.stringify(await this.#describe()))
    } else if (path === '/api/live' && this.#source.follow !== undefined) {
      await this.#live(this.#source.follow.bind(this.#source), request, response)
    } else if (incident !== undefined) {
      const bytes = await this.#source.open(decodeURIComponent(incident))
      response.writeHead(200, { ...HEADERS, 'Content-Type': 'application/octet-stream' })
      await pipeline(bytes, response).catch(ignoreGone)
    } else send(response, 404, 'text/plain', 'there is nothing here\n')
  }

  async #describe(): Promise<SourceAnswer> {
    const answer = await this.#source.describe()
    const maxPlainBytes = this.#maxPlainBytes
    return maxPlainBytes === undefined ? answer : { ...answer, maxPlainBytes }
  }

  /** Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), events of the log as base64. */
  async #live(
    follow: (signal: AbortSignal) => AsyncIterable<LiveItem>,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const gone = new AbortController()
    request.on('close', () => gone.abort())
    response.on('close', () => gone.abort())
    response.writeHead(200, { ...HEADERS, 'Content-Type': 'text/event-stream' })
    response.write(':\n\n')
    const signal = AbortSignal.any([gone.signal, this.#ending.signal])
    for await (const item of follow(signal)) {
      if (response.destroyed) return
      if (!response.write(eventText(item))) await drained(response, signal)
    }
    response.end()
  }
}

function eventText(item: LiveItem): string {
  switch (item.kind) {
    case 'events':
      return eventOf('events', Buffer.from(item.bytes).toString('base64'))
    case 'missed':
      return eventOf('missed', String(item.count))
    case 'lost':
      return eventOf('lost', item.reason)
    case 'connected':
      return eventOf('connected', item.to)
    case 'restarted':
      return eventOf('restarted', '')
  }
}

function eventOf(name: string, data: string): string {
  return `event: ${name}\ndata: ${data.replace(/[\r\n]+/g, ' ')}\n\n`
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    response.once('drain', done)
    signal.addEventListener('abort', done, { once: true })
  })
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { ...HEADERS, 'Content-Type': `${type}; charset=utf-8` })
  response.end(text)
}

function statusOf(error: unknown): number {
  if (error instanceof URIError) return 400
  return FlogError.is(error, 'FLOG_INCIDENT_UNKNOWN') || FlogError.is(error, 'FLOG_FILE_MISSING') ? 404 : 500
}

/** Who asked has closed the page: nobody is left to tell. */
function ignoreGone(error: unknown): void {
  if ((error as { readonly code?: unknown }).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
}
