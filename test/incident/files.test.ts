import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CREATE_NEW,
  openRegular,
  piecesOf,
  syncDirectory,
  unlinkIfThere,
  writeAll,
} from '../../src/incident/files'
import { temporaryDirectory } from './samples'

const directory = temporaryDirectory()
const at = (name: string) => join(directory.path, name)

test('only regular files are opened, and none through a symbolic link', async () => {
  writeFileSync(at('file'), 'text')
  symlinkSync(at('file'), at('link'))
  mkdirSync(at('directory'))
  execFileSync('mkfifo', [at('pipe')])
  const file = await openRegular(at('file'))
  expect(await file.readFile('utf8')).toBe('text')
  await file.close()
  await expect(openRegular(at('link'))).rejects.toMatchObject({ code: 'ELOOP' })
  await expect(openRegular(at('directory'))).rejects.toMatchObject({ code: 'EINVAL' })
  await expect(openRegular(at('pipe'))).rejects.toMatchObject({ code: 'EINVAL' })
  await expect(openRegular(at('none'))).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a new file is never one that is there, nor where a link points', async () => {
  writeFileSync(at('file'), 'text')
  symlinkSync(at('elsewhere'), at('link'))
  await expect(open(at('file'), CREATE_NEW)).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(open(at('link'), CREATE_NEW)).rejects.toMatchObject({ code: 'EEXIST' })
})

test('all bytes are written where they belong, and read in pieces', async () => {
  writeFileSync(at('file'), Buffer.alloc(10))
  const file = await openRegular(at('file'), 'read and write')
  await writeAll(file, Buffer.from('abcdefgh'), 4)
  const pieces: string[] = []
  for await (const piece of piecesOf(file, 5)) pieces.push(Buffer.from(piece).toString())
  await file.close()
  expect(pieces).toEqual(['\0\0\0\0a', 'bcdef', 'gh'])
  expect(readFileSync(at('file'))).toHaveLength(12)
})

test('removing what is gone is no error, and says so', async () => {
  writeFileSync(at('file'), '')
  expect(await unlinkIfThere(at('file'))).toBe(true)
  expect(await unlinkIfThere(at('file'))).toBe(false)
  mkdirSync(at('directory'))
  await expect(unlinkIfThere(at('directory'))).rejects.toThrow()
})

test('a directory can be synced, a missing one not', async () => {
  await syncDirectory(directory.path)
  await expect(syncDirectory(at('none'))).rejects.toMatchObject({ code: 'ENOENT' })
})
