import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { plainFileName } from '../../src/incident/name'
import { directorySource } from '../../src/viewer/file-source'
import { loadPage } from '../../src/viewer/page-html'
import { ViewerServer } from '../../src/viewer/server'
import { writeBusyIncident } from '../../tools/bench/busy-incident'

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

const ID = '5a0bf00dcafe0001-1'
const NAME = `incident-2026-11-21--20-31-05.123456Z--${ID}.flog.gz`
const directory = mkdtempSync(join(tmpdir(), 'flog-viewer-'))
const page = loadPage(join(__dirname, '../../dist/src/viewer/page.html'))
const server = new ViewerServer({ source: directorySource(directory), page })
let address: URL
let cookie = ''
let path = ''

beforeAll(async () => {
  path = join(directory, `${plainFileName(Date.UTC(2026, 10, 21, 20, 31, 5, 123) * 1000, ID)}.gz`)
  await writeBusyIncident(path, { events: 200 })
  writeFileSync(join(directory, 'secret.txt'), 'secret')
  address = new URL(await server.listen())
})
afterAll(async () => {
  await server.close()
  rmSync(directory, { recursive: true })
})

test('it listens on this machine only, and the address has a token', () => {
  expect(address.hostname).toBe('127.0.0.1')
  expect(address.searchParams.get('token')).toMatch(/^[\da-f]{48}$/)
})

test('without the cookie there is nothing, not even the page', async () => {
  for (const target of ['/', '/api/source', `/api/incidents/${ID}`, '/api/live']) {
    expect(await get(target, { cookie: '' })).toMatchObject({ status: 403 })
  }
  expect(await get('/?token=0', { cookie: '' })).toMatchObject({ status: 403 })
})

test('the token is exchanged, once, for a cookie that pages of others cannot send or read', async () => {
  const target = address.pathname + address.search
  expect((await get(target, { cookie: '' }, 'HEAD')).status).toBe(200)
  const { status, headers, body } = await get(target, { cookie: '' })
  expect(status).toBe(200)
  expect(headers['set-cookie']?.[0]).toMatch(/^flog-\d+=[\da-f]{48}; HttpOnly; SameSite=Strict; Path=\/$/)
  expect(body.toString()).toContain('url=/"')
  expect(body.toString()).not.toContain('token')
  cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  expect((await get(target, { cookie: '' })).status).toBe(403)
  expect((await get(target)).status).toBe(200)
})

test('with it come the page, the list, and the bytes of a file as they are', async () => {
  const { status, headers, body } = await get('/')
  expect(status).toBe(200)
  expect(body.toString()).toContain('<title>flog</title>')
  expect(headers['content-type']).toBe('text/html; charset=utf-8')
  const source = JSON.parse((await get('/api/source')).body.toString())
  expect(source).toMatchObject({ kind: 'directory', incidents: [{ id: ID, service: 'shop', events: 200 }] })
  expect((await get(`/api/incidents/${ID}`)).body.equals(readFileSync(path))).toBe(true)
})

test('every answer forbids sniffing and keeping; the page may run its own script and nothing else', async () => {
  for (const target of ['/', '/api/source', `/api/incidents/${ID}`, '/nothing']) {
    const { headers } = await get(target)
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    })
  }
  const policy = (await get('/')).headers['content-security-policy'] ?? ''
  expect(policy).toMatch(
    /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self';/,
  )
  expect(policy).toContain("require-trusted-types-for 'script'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toContain('unsafe')
})

test('other names, other origins, other sites, and other methods are refused', async () => {
  expect(await get('/', { host: 'evil.example' })).toMatchObject({ status: 421 })
  expect(await get('/', { host: `evil.example:${address.port}` })).toMatchObject({ status: 421 })
  expect(await get('/', { host: '127.0.0.1:1' })).toMatchObject({ status: 421 })
  expect(await get('/', { host: `localhost:${address.port}` })).toMatchObject({ status: 200 })
  for (const origin of [
    'http://evil.example',
    'null',
    'http://127.0.0.1:1',
    `https://127.0.0.1:${address.port}`,
  ])
    expect(await get('/api/source', { origin })).toMatchObject({ status: 403 })
  expect(await get('/api/source', { origin: address.origin })).toMatchObject({ status: 200 })
  expect(await get('/api/source', { 'sec-fetch-site': 'cross-site' })).toMatchObject({ status: 403 })
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
    expect(await get('/api/source', {}, method)).toMatchObject({ status: 405 })
})

test('an id is looked up, never part of a path', async () => {
  for (const id of ['secret.txt', '..%2fsecret.txt', '%2e%2e', NAME, 'a'.repeat(5000)])
    expect(await get(`/api/incidents/${id}`)).toMatchObject({ status: 404 })
  expect(await get('/api/incidents/%ff')).toMatchObject({ status: 400 })
  expect(await get('/../secret.txt')).toMatchObject({ status: 404 })
})

function get(
  target: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port } = address
    const sent = { cookie, ...headers }
    const asked = request({ host: '127.0.0.1', port, path: target, method, headers: sent }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) })
      })
    })
    asked.on('error', reject)
    asked.end()
  })
}
