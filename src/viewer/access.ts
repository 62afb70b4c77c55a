import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type Random, randomHex } from '../base/random'

const SECRET_BYTES = 24

/** `allowed`; `enter`: with the token, for which a cookie is given; else the status and what to say. */
export type Admission =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'enter' }
  | { readonly kind: 'refused'; readonly status: 403 | 405 | 421; readonly message: string }

/**
 * Who may see the page: whoever has the address that was printed. It holds a token, which works once; the browser gets a cookie
 * for it. Other pages in the same browser have neither: their requests name another origin, or a host that is not ours
 * (DNS rebinding), or come without the cookie (SameSite=Strict).
 */
export class Access {
  readonly #token: string
  readonly #cookie: string
  #isSpent = false
  #port = 0

  constructor(random: Random) {
    this.#token = randomHex(random, SECRET_BYTES)
    this.#cookie = randomHex(random, SECRET_BYTES)
  }

  /** @param port that the server listens on */
  listening(port: number): void {
    this.#port = port
  }

  /** For the one who started it; works once. */
  get address(): string {
    return `http://127.0.0.1:${this.#port}/?token=${this.#token}`
  }

  admit(request: IncomingMessage): Admission {
    const { host = '', origin, 'sec-fetch-site': site } = request.headers
    if (!this.#hosts.includes(host)) return refused(421, 'this server does not go by that name')
    if (origin !== undefined && !this.#hosts.includes(origin.replace(/^http:\/\//, '')))
      return refused(403, 'pages of others get nothing here')
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return refused(405, 'this server only answers GET')
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    if (pathname === '/' && searchParams.has('token'))
      return this.#enter(searchParams.get('token') ?? '', request)
    if (pathname !== '/' && site !== undefined && site !== 'same-origin')
      return refused(403, 'pages of others get nothing here')
    return this.#hasCookie(request) ? { kind: 'allowed' } : refused(403, STALE)
  }

  /** `Set-Cookie` for a browser that came with the token. Cookies do not know ports: the name does. */
  get setCookie(): string {
    return `${this.#cookieName}=${this.#cookie}; HttpOnly; SameSite=Strict; Path=/`
  }

  #enter(token: string, request: IncomingMessage): Admission {
    if (this.#hasCookie(request)) return { kind: 'enter' }
    if (this.#isSpent || !isSame(token, this.#token)) return refused(403, STALE)
    // HEAD is what tools send that only look at a link.
    if (request.method === 'GET') this.#isSpent = true
    return { kind: 'enter' }
  }

  #hasCookie({ headers }: IncomingMessage): boolean {
    const prefix = `${this.#cookieName}=`
    return (headers.cookie ?? '')
      .split(/;\s*/)
      .some((cookie) => cookie.startsWith(prefix) && isSame(cookie.slice(prefix.length), this.#cookie))
  }

  get #cookieName(): string {
    return `flog-${this.#port}`
  }

  get #hosts(): readonly string[] {
    return ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${this.#port}`)
  }
}

const STALE = 'this address works once, in one browser; run the command again for a new one'

function refused(status: 403 | 405 | 421, message: string): Admission {
  return { kind: 'refused', status, message }
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
