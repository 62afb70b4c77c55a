import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import {
  addressOf,
  formatLogport,
  isLoopback,
  type Logport,
  parseLogport,
  resolveLogport,
} from '../../src/remote/logport'

const secret = Uint8Array.from({ length: 32 }, (_, i) => i)
const plain: Logport = { host: '127.0.0.1', port: 4711, role: 'read', secret }
const S = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8'
const F = 'a'.repeat(43)

const logports = fc.record({
  port: fc.integer({ min: 1, max: 65_535 }),
  role: fc.constantFrom('read' as const, 'control' as const, 'publish' as const),
  secret: fc.uint8Array({ minLength: 32, maxLength: 32 }),
})

test('what is formatted is parsed to the same', () => {
  fc.assert(
    fc.property(logports, fc.constantFrom('localhost', '127.0.0.1', '::1'), (logport, host) => {
      expect(parseLogport(formatLogport({ ...logport, host }))).toEqual({ ...logport, host })
    }),
  )
  fc.assert(
    fc.property(logports, fc.constantFrom('shop.example', '10.0.0.7', 'fe80::1'), (logport, host) => {
      const secured = { ...logport, host, fingerprint: F }
      expect(parseLogport(formatLogport(secured))).toEqual(secured)
    }),
  )
})

test('it looks as documented', () => {
  expect(formatLogport(plain)).toBe(`flog://127.0.0.1:4711/#read.${S}`)
  expect(formatLogport({ ...plain, host: '::1', fingerprint: F })).toBe(`flogs://[::1]:4711/#read.${S}.${F}`)
  expect(addressOf(plain)).toBe('flog://127.0.0.1:4711')
})

const wrong: readonly (readonly [string, string])[] = [
  ['http://127.0.0.1:4711/', 'does not start with flog:// or flogs://'],
  ['flog://127.0.0.1:4711/', "ends before its '#'"],
  [`flog://127.0.0.1/#read.${S}`, 'does not look like'],
  [`flog://127.0.0.1:0/#read.${S}`, 'port'],
  [`flog://127.0.0.1:70000/#read.${S}`, 'port'],
  [`flog://127.0.0.1:4711/#write.${S}`, 'role'],
  [`flog://127.0.0.1:4711/#read.${S.slice(1)}`, 'secret is not whole'],
  [`flogs://127.0.0.1:4711/#read.${S}`, 'fingerprint is not whole'],
  [`flogs://127.0.0.1:4711/#read.${S}.${F.slice(1)}`, 'fingerprint is not whole'],
  [`flog://127.0.0.1:4711/#read.${S}.${F}`, 'belongs to flogs://'],
  [`flog://shop.example:4711/#read.${S}`, 'without TLS only this machine'],
  [`flog://user@127.0.0.1:4711/#read.${S}`, 'does not look like'],
]

test.each(wrong)('%s is refused with what is wrong', (text, message) => {
  expect(() => parseLogport(text)).toThrow(expect.objectContaining({ code: 'FLOG_LOGPORT_INVALID' }))
  expect(() => parseLogport(text)).toThrow(message)
})

test('no error shows the secret', () => {
  fc.assert(
    fc.property(fc.nat(120), fc.string({ maxLength: 3 }), (at, change) => {
      const url = `flogs://shop.example:4711/#read.${S}.${F}`
      const text = url.slice(0, at) + change + url.slice(at + 1)
      try {
        parseLogport(text)
      } catch (error) {
        expect(error).toMatchObject({ code: 'FLOG_LOGPORT_INVALID' })
        expect(String(error)).not.toContain(S.slice(10, 30))
      }
    }),
  )
})

test('only names of this machine are loopback', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost', 'LOCALHOST'])
    expect(isLoopback(host)).toBe(true)
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', 'localhost.example', '127.0.0.1.example']) {
    expect(isLoopback(host)).toBe(false)
  }
})

describe('where a logport comes from', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'flog-logport-'))
  })
  afterEach(() => rm(directory, { recursive: true }))
  const url = `flog://127.0.0.1:4711/#read.${S}`

  test('the argument itself, a file, a directory with a file, or the environment', async () => {
    await writeFile(join(directory, 'logport'), `${url}\n`)
    expect(await resolveLogport(url, {})).toEqual(plain)
    expect(await resolveLogport(join(directory, 'logport'), {})).toEqual(plain)
    expect(await resolveLogport(directory, {})).toEqual(plain)
    expect(await resolveLogport(undefined, { FLOG_LOGPORT: url })).toEqual(plain)
    expect(await resolveLogport(undefined, { FLOG_LOGPORT: directory })).toEqual(plain)
    expect(await resolveLogport(url, { FLOG_LOGPORT: 'something else' })).toEqual(plain)
  })

  test('nothing, or a file that is not there, is a clear error', async () => {
    await expect(resolveLogport(undefined, {})).rejects.toThrow('set FLOG_LOGPORT')
    await expect(resolveLogport(join(directory, 'nowhere'), {})).rejects.toMatchObject({
      code: 'FLOG_LOGPORT_INVALID',
    })
    await writeFile(join(directory, 'logport'), 'x'.repeat(10_000))
    await chmod(join(directory, 'logport'), 0o600)
    await expect(resolveLogport(directory, {})).rejects.toThrow('too long')
  })
})

test.each([
  `Flog://127.0.0.1:4711/#read.${S}`,
  `flog:127.0.0.1:4711/#read.${S}`,
  `  flog:/127.0.0.1:4711/#read.${S}`,
  `127.0.0.1:4711/#read.${S}`,
  `"flog://127.0.0.1:4711/#control.${S}"`,
])('%s is taken for a logport that is wrong: its secret is not shown as a path', async (text) => {
  const error = await resolveLogport(text, {}).catch((thrown: unknown) => thrown as Error)
  expect(error).toMatchObject({ code: 'FLOG_LOGPORT_INVALID' })
  expect(`${(error as Error).message} ${(error as Error).stack}`).not.toContain(S)
})

test.each([
  `flogs://[shop]:1/#read.${S}.${F}`,
  `flogs://[1.2.3.4]:1/#read.${S}.${F}`,
  `flogs://[::g]:1/#read.${S}.${F}`,
])('%s: brackets are for IPv6', (text) => expect(() => parseLogport(text)).toThrow('does not look like'))

test('what only looks like an address of this machine is none: it would be looked up', () => {
  expect(isLoopback('127.999.1.1')).toBe(false)
  expect(isLoopback('127.0.0.256')).toBe(false)
  expect(isLoopback('127.8.9.1')).toBe(true)
  expect(isLoopback('LocalHost')).toBe(true)
})
