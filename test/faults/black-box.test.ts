import { mkdtempSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemCode } from '../../src/base/errors'
import { RING_MIN_BYTES } from '../../src/base/limits'
import { App, found, merged } from '../incident/black-box/rig'
import { canMount, SmallDisk } from '../recorder/small-disk'
import { FakeClock } from '../remote/support/fake-clock'

const withDisk = canMount() ? describe : describe.skip

withDisk('a black box on a disk (skipped where tests may not mount one)', () => {
  let root: string
  let disk: SmallDisk
  let clock: FakeClock
  let told: string[]
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'flog-black-box-'))
    clock = new FakeClock()
    told = []
  })
  afterEach(() => {
    disk.end()
    rmSync(root, { recursive: true })
  })

  function mount(size: string): string {
    disk = new SmallDisk(join(root, 'disk'), size)
    return disk.path
  }

  function box(app: App) {
    return app.box(disk.path, {
      clock,
      onTrouble: ({ code, cause }) => told.push(`${code} ${systemCode(cause)}`),
      onRecovered: () => told.push('recovered'),
    })
  }

  /** Events of as many bytes as a ring takes, and some more. */
  function fill(app: App): void {
    for (let bytes = 0; bytes < 1.5 * RING_MIN_BYTES; bytes += 1000) app.log(0, 1000)
  }

  test('that is full when it is made leaves nothing there, and makes it when there is room', async () => {
    mount('16k')
    const app = new App(1)
    const blackBox = box(app)
    fill(app)
    for (let polls = 0; polls < 5; polls++) {
      expect(() => blackBox.poll()).not.toThrow()
      clock.advance(100)
    }
    expect(told).toEqual(['FLOG_BLACK_BOX_REFUSED ENOSPC'])
    expect(blackBox.refused).toBe(1)
    expect(readdirSync(disk.path)).toEqual([])
    disk.remount('size=8m')
    clock.advance(1000)
    blackBox.poll()
    expect((await found(blackBox.path)).seqs).toEqual(merged(app.handles))
    expect(told.at(-1)).toBe('recovered')
    blackBox.close()
    expect(readdirSync(disk.path)).toEqual([])
  })

  test('that fills up while it is written still holds what it can, and all of it when there is room', async () => {
    mount('1m')
    const app = new App(1)
    const blackBox = box(app)
    const first = app.log()
    blackBox.poll()
    expect(() => writeFileSync(join(disk.path, 'filler'), Buffer.alloc(2 * 1024 ** 2))).toThrow('ENOSPC')
    fill(app)
    blackBox.poll()
    app.log()
    blackBox.poll()
    expect(told).toEqual(['FLOG_BLACK_BOX_REFUSED ENOSPC'])
    const { seqs } = await found(blackBox.path)
    expect(merged(app.handles).concat(first)).toEqual(expect.arrayContaining(seqs))
    unlinkSync(join(disk.path, 'filler'))
    clock.advance(1000)
    blackBox.poll()
    expect((await found(blackBox.path)).seqs).toEqual(merged(app.handles))
    expect(told).toEqual(['FLOG_BLACK_BOX_REFUSED ENOSPC', 'recovered'])
  })

  test('that is full, and from which somebody removes it: it is made anew when there is room', async () => {
    mount('1m')
    const app = new App(1)
    const blackBox = box(app)
    fill(app)
    blackBox.poll()
    unlinkSync(blackBox.path)
    expect(() => writeFileSync(join(disk.path, 'filler'), Buffer.alloc(2 * 1024 ** 2))).toThrow('ENOSPC')
    for (let polls = 0; polls < 3; polls++) {
      clock.advance(1000)
      app.log()
      blackBox.poll()
    }
    expect(told).toEqual(['FLOG_BLACK_BOX_REFUSED ENOSPC'])
    unlinkSync(join(disk.path, 'filler'))
    clock.advance(30_000)
    blackBox.poll()
    expect((await found(blackBox.path)).seqs).toEqual(merged(app.handles))
  })

  test('that is read-only when it is made is told once, and it is made when it may be written', async () => {
    mount('8m')
    disk.remount('ro')
    const app = new App(1)
    const blackBox = box(app)
    app.log()
    for (let polls = 0; polls < 3; polls++) {
      blackBox.poll()
      clock.advance(2000)
    }
    expect(told).toEqual(['FLOG_BLACK_BOX_REFUSED EROFS'])
    disk.remount('rw')
    clock.advance(30_000)
    blackBox.poll()
    expect((await found(blackBox.path)).seqs).toEqual([0])
    expect(told.at(-1)).toBe('recovered')
    blackBox.close()
  })
})
