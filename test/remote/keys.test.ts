import { execFileSync } from 'node:child_process'
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { systemRandom } from '../../src/base/random'
import { loadKeys, SECRETS_FILE, TLS_FILE } from '../../src/remote/keys'

let directory: string
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'flog-keys-')), 'keys')
})
afterEach(() => rm(join(directory, '..'), { recursive: true }))
const load = () => loadKeys(directory, systemRandom)

test('keys are made once and stay', async () => {
  const first = await load()
  expect(await load()).toEqual(first)
  const { read, control, publish } = first.secrets
  expect(new Set([read, control, publish].map((secret) => Buffer.from(secret).toString('hex'))).size).toBe(3)
})

test('only their owner may read them, and their directory', async () => {
  await load()
  expect((await stat(directory)).mode & 0o777).toBe(0o700)
  for (const name of await readdir(directory))
    expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600)
  expect((await readdir(directory)).sort()).toEqual([SECRETS_FILE, TLS_FILE].sort())
})

test('many that begin at once end with the same keys and leave nothing else', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, load))
  for (const keys of all) expect(keys).toEqual(all[0])
  expect(await readdir(directory)).toHaveLength(2)
})

test.each([SECRETS_FILE, TLS_FILE])('%s that others may read is refused', async (name) => {
  await load()
  await chmod(join(directory, name), 0o640)
  await expect(load()).rejects.toMatchObject({ code: 'FLOG_KEYS_UNUSABLE' })
})

test.each([SECRETS_FILE, TLS_FILE])(
  '%s that holds something else is refused by name, not replaced',
  async (name) => {
    await load()
    await writeFile(join(directory, name), '{}')
    await expect(load()).rejects.toThrow(name)
    expect(await readFile(join(directory, name), 'utf8')).toBe('{}')
  },
)

test('a symbolic link in the place of a key is not followed', async () => {
  await load()
  await rm(join(directory, SECRETS_FILE))
  await writeFile(join(directory, 'elsewhere'), '{}', { mode: 0o600 })
  await symlink(join(directory, 'elsewhere'), join(directory, SECRETS_FILE))
  await expect(load()).rejects.toMatchObject({ code: 'FLOG_KEYS_UNUSABLE' })
})

test('the error for a file with damage holds nothing of what is in it', async () => {
  await load()
  const path = join(directory, SECRETS_FILE)
  const text = await readFile(path, 'utf8')
  // What a parser of JSON quotes in its message is what stands there
  await writeFile(path, text.slice(text.indexOf(': "') + 3))
  const error = await load().catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'FLOG_KEYS_UNUSABLE' })
  const shown = inspect(error, { depth: 10, showHidden: true })
  for (const secret of text.matchAll(/[\w-]{43}/g)) {
    for (let at = 0; at < 40; at++) expect(shown).not.toContain(secret[0].slice(at, at + 4))
  }
})

test('a pipe in the place of a key is refused, not waited for', async () => {
  await mkdir(directory, { mode: 0o700 })
  execFileSync('mkfifo', ['-m', '600', join(directory, SECRETS_FILE)])
  await expect(load()).rejects.toMatchObject({ code: 'FLOG_KEYS_UNUSABLE' })
})

const asRoot = process.geteuid?.() === 0 ? test : test.skip
asRoot('a key that another user put there is refused', async () => {
  await load()
  await chown(join(directory, SECRETS_FILE), 12_345, 12_345)
  await expect(load()).rejects.toThrow('belongs to another user')
})
