import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { FlogError } from '../../src/base/errors'
import { SIDECAR_CLOSE_MS, SIDECAR_RESTART_MAX_MS, SIDECAR_RESTART_MS } from '../../src/base/limits'
import { Sidecar } from '../../src/sidecar/handle'
import type { SidecarSetup } from '../../src/sidecar/setup'
import { FakeClock } from '../remote/support/fake-clock'
import { until } from '../remote/support/rig'

let root: string
let clock: FakeClock
let troubles: FlogError[]
let recovered: string[]
let died: number
const handles: Sidecar[] = []
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'flog-second-'))
  clock = new FakeClock()
  troubles = []
  recovered = []
  died = 0
})
afterEach(async () => {
  await Promise.all(handles.splice(0).map((handle) => handle.close()))
  rmSync(root, { recursive: true, force: true })
})

/** A program in place of the second thread's, which notes that it was started. */
function program(text: string): string {
  const path = join(root, 'program.js')
  const starts = JSON.stringify(join(root, 'starts'))
  writeFileSync(path, `require('node:fs').appendFileSync(${starts}, '.')\n${text}`)
  appendFileSync(join(root, 'starts'), '')
  return path
}

function starts(): number {
  return readFileSync(join(root, 'starts'), 'utf8').length
}

function started(path: string): Sidecar {
  const handle = new Sidecar({
    setup: () => ({}) as SidecarSetup,
    app: { capture: () => undefined, opened: () => undefined, closed: () => undefined },
    clock,
    onDied: () => died++,
    onTrouble: (error) => troubles.push(error),
    onRecovered: (code) => recovered.push(code),
    program: path,
  })
  handles.push(handle)
  clock.advance(0)
  return handle
}

const READY = `require('node:worker_threads').parentPort.once('message', ({ port }) => {
  port.postMessage({ kind: 'tell', name: 'ready' })
  port.on('message', ({ name, call }) => name === 'die' || name === 'finish' ? process.exit(1)
    : port.postMessage({ kind: 'answer', call }))
})`

describe('the thread that is started', () => {
  test.each([
    ['that throws at once', "throw new Error('broken')"],
    ['that ends at once', 'process.exit(0)'],
    [
      'that runs out of memory',
      "const all = []; for (;;) all.push(new Array(1000).fill('x').map((x, i) => x + i))",
    ],
  ])('with a program %s is told, and started again later and later', async (_, text) => {
    started(program(text))
    let ms = SIDECAR_RESTART_MS
    for (let times = 1; times <= 3; times++) {
      await until(() => died === times)
      expect(starts()).toBe(times)
      clock.advance(ms - 1)
      await pause(20)
      expect(starts()).toBe(times)
      clock.advance(1)
      ms *= 2
    }
    await until(() => died === 4)
    expect(troubles.map(({ code }) => code)).toEqual(Array(4).fill('FLOG_SIDECAR_FAILED'))
    expect(recovered).toEqual([])
  })

  test('and dies of what it is asked, after it was ready, is not taken for recovered', async () => {
    const handle = started(program(READY))
    let ms = SIDECAR_RESTART_MS
    for (let times = 1; times <= 3; times++) {
      await until(() => handle.isReady)
      await expect(handle.finish('a file')).rejects.toMatchObject({ code: 'FLOG_CLOSED' })
      await until(() => died === times)
      expect(handle.isReady).toBe(false)
      clock.advance(ms)
      ms *= 2
    }
    expect(recovered).toEqual([])
    await until(() => handle.isReady)
    clock.advance(SIDECAR_RESTART_MAX_MS)
    expect(recovered).toEqual(['FLOG_SIDECAR_FAILED'])
    await expect(handle.finish('a file')).rejects.toMatchObject({ code: 'FLOG_CLOSED' })
    await until(() => died === 4)
    clock.advance(SIDECAR_RESTART_MS)
    await until(() => handle.isReady)
  })

  test('is shared, ends with the last recorder, and a new one is started after that', async () => {
    const path = program(`${READY.replace('once', 'on')}`)
    const first = started(path)
    const second = started(path)
    await until(() => first.isReady && second.isReady)
    expect(starts()).toBe(1)
    await first.close()
    expect(second.isReady).toBe(true)
    await second.close()
    const third = started(path)
    const fourth = started(path)
    await until(() => third.isReady && fourth.isReady)
    expect(starts()).toBe(2)
    expect([died, troubles]).toEqual([0, []])
  })

  test('is unavailable without its program, which is told once, and not tried again', async () => {
    const handle = started(join(root, 'missing.js'))
    expect(troubles.map(({ code }) => code)).toEqual(['FLOG_SIDECAR_UNAVAILABLE'])
    expect(await handle.publish({})).toBeUndefined()
    clock.advance(SIDECAR_RESTART_MAX_MS)
    expect(troubles).toHaveLength(1)
  })

  test('that dies over its incidents, or does not answer, holds up nobody who waits for them', async () => {
    const dies = started(program(READY.replace("'finish'", "'idle'")))
    await dies.idle()
    await until(() => dies.isReady)
    await dies.idle()
    await until(() => died === 1)
    await dies.close()
    const silent = started(program(READY.replace("'answer', call", "'answer', call: -1")))
    await until(() => silent.isReady)
    const waiting = silent.idle()
    clock.advance(SIDECAR_CLOSE_MS)
    await waiting
    expect(silent.isReady).toBe(true)
    const closing = silent.close()
    clock.advance(SIDECAR_CLOSE_MS)
    await closing
    handles.length = 0
  })

  test('that never gets ready, and does not answer, is waited for as long as was said', async () => {
    const handle = started(
      program("require('node:worker_threads').parentPort.on('message', () => undefined)"),
    )
    await until(() => starts() === 1)
    const publishing = handle.publish({})
    clock.advance(5000)
    expect(await publishing).toBeUndefined()
    const closing = handle.close()
    clock.advance(5000)
    await closing
    handles.length = 0
  })
})
