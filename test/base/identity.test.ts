import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { currentIdentity, livenessOf, livenessOfTag, ownerTag, readIdentity } from '../../src/base/identity'
import type { ProcessIdentity } from '../../src/base/process-identity'
import { firstLine, kill, type Program, startProgram } from '../incident/programs'
import { TYPESCRIPT } from '../typescript'

const onLinux = process.platform === 'linux' ? test : test.skip

describe('the identity of a real process', () => {
  let program: Program
  let identity: ProcessIdentity

  beforeEach(async () => {
    program = startProgram('idle', 'a) S 1 (b')
    identity = await firstLine(program)
  })
  afterEach(() => kill(program))

  test('is its own, with a pid that the system knows', () => {
    expect(identity.pid).toBe(program.pid)
    expect(identity).not.toEqual(currentIdentity())
    expect(identity.bootId).toBe(currentIdentity().bootId)
  })

  onLinux('is alive while it runs, whatever its title, and dead once it was killed', async () => {
    expect(livenessOf(identity)).toBe('alive')
    expect(livenessOfTag(ownerTag(identity))).toBe('alive')
    await kill(program)
    expect(livenessOf(identity)).toBe('dead')
    expect(livenessOfTag(ownerTag(identity))).toBe('dead')
  })

  onLinux('is alive while it is stopped', async () => {
    program.kill('SIGSTOP')
    expect(livenessOf(identity)).toBe('alive')
  })

  onLinux('is dead when its pid belongs to a process that started at another time', () => {
    expect(livenessOf({ ...identity, startTime: '1' })).toBe('dead')
  })

  test('is unknown from another boot and from another pid namespace', () => {
    expect(livenessOf({ ...identity, bootId: 'another' })).toBe('unknown')
    expect(livenessOf({ ...identity, pidNamespace: 'pid:[1]' })).toBe('unknown')
    expect(livenessOfTag(ownerTag({ ...identity, bootId: 'another' }))).toBe('unknown')
  })
})

test('this process is alive, and all its threads are one process', async () => {
  expect(livenessOf(currentIdentity())).toBe('alive')
  const source = `
    const { currentIdentity } = require(${JSON.stringify(join(__dirname, '../../src/base/identity'))})
    require('node:worker_threads').parentPort.postMessage(currentIdentity())`
  const worker = new Worker(source, { eval: true, execArgv: [...TYPESCRIPT] })
  const identity = await new Promise((resolve, reject) =>
    worker.once('message', resolve).once('error', reject),
  )
  expect(identity).toEqual(currentIdentity())
  await worker.terminate()
})

test('nonsense in a header or a file name is unknown, never dead', () => {
  const self = currentIdentity()
  for (const pid of [0, -1, 1.5, Number.NaN, 2 ** 40]) expect(livenessOf({ ...self, pid })).toBe('unknown')
  for (const tag of ['', 'x', `${ownerTag(self)}-1`, '../../proc']) expect(livenessOfTag(tag)).toBe('unknown')
})

describe('with a /proc of another kind', () => {
  let proc: string

  beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), 'flog-proc-'))
  })
  afterEach(() => rmSync(proc, { recursive: true }))

  test('where there is none, the host stands for the boot and only a free pid tells', async () => {
    const self = readIdentity(proc)
    expect(self).toMatchObject({ pid: process.pid, pidNamespace: '', startTime: '' })
    expect(livenessOf(self, { self, proc })).toBe('alive')

    const program = startProgram('idle')
    const { pid } = await firstLine<ProcessIdentity>(program)
    expect(livenessOf({ ...self, pid }, { self, proc })).toBe('unknown')
    await kill(program)
    expect(livenessOf({ ...self, pid }, { self, proc })).toBe('dead')
    expect(livenessOfTag(ownerTag({ ...self, pid }), { self, proc })).toBe('dead')
  })

  test('a process that ended and was not waited for is dead', () => {
    const self = fakeProcess(proc, 'self', process.pid, 'R', '100')
    fakeProcess(proc, '17', 17, 'Z', '200')
    fakeProcess(proc, '18', 18, 'T', '200')
    expect(livenessOf({ ...self, pid: 17, startTime: '200' }, { self, proc })).toBe('dead')
    expect(livenessOf({ ...self, pid: 18, startTime: '200' }, { self, proc })).toBe('alive')
  })

  test('a process that /proc hides and the system knows is unknown', () => {
    const self = fakeProcess(proc, 'self', process.pid, 'R', '100')
    expect(livenessOf({ ...self, pid: process.ppid, startTime: '200' }, { self, proc })).toBe('unknown')
  })
})

function fakeProcess(
  proc: string,
  entry: string,
  pid: number,
  state: string,
  startTime: string,
): ProcessIdentity {
  mkdirSync(join(proc, 'sys/kernel/random'), { recursive: true })
  writeFileSync(join(proc, 'sys/kernel/random/boot_id'), 'a-boot\n')
  mkdirSync(join(proc, entry, 'ns'), { recursive: true })
  symlinkSync('pid:[7]', join(proc, entry, 'ns/pid'))
  const fields = [state, ...Array(18).fill('0'), startTime, ...Array(30).fill('0')]
  writeFileSync(join(proc, entry, 'stat'), `${pid} (odd ) R (name) ${fields.join(' ')}\n`)
  return readIdentity(proc)
}
