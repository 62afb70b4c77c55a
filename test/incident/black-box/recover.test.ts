import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import fc from 'fast-check'
import { FlogError } from '../../../src/base/errors'
import { RING_MIN_BYTES } from '../../../src/base/limits'
import { readBlackBox } from '../../../src/incident/black-box/read'
import { type RecoverOptions, recoverBlackBox } from '../../../src/incident/black-box/recover'
import { IncidentDirectory } from '../../../src/incident/directory'
import { verifyIncidentFile } from '../../../src/incident/verify'
import { incident, OPENED_AT, temporaryDirectory, writeSample } from '../samples'
import { App, clock, found, merged, originOf, read, snapshot } from './rig'

const root = temporaryDirectory()

function recover(path: string, options: Partial<RecoverOptions> = {}) {
  return recoverBlackBox(path, { directory: new IncidentDirectory({ path: root.path }), clock, ...options })
}

/** Pages of a file system's cache: what a process that dies in the middle of a write leaves. */
const PAGE = 4096

describe('the incident of a process that died', () => {
  test('holds everything that the rings held, and says what is known', async () => {
    const app = new App()
    for (let i = 0; i < 2000; i++) app.log(i % 2)
    const box = app.box(root.path)
    box.poll()
    const last = app.log()
    box.poll()
    const expected = merged(app.handles)
    const finished = await recover(box.path)
    const { header, events, state } = await read(finished?.path ?? '')
    expect(state).toBe('whole')
    expect((await verifyIncidentFile(finished?.path ?? '')).verdict.state).toBe('whole')
    expect(events.map(({ seq }) => seq)).toEqual([...expected, last + 1])
    expect(header).toMatchObject({
      id: incident(1),
      number: 1,
      ...originOf(),
      trigger: { kind: 'died', reason: 'it ended without closing its black box', event: events.at(-1) },
      rings: app.rings.map((ring) => ({
        severity: 'info',
        capacityBytes: RING_MIN_BYTES,
        events: ring.written - ring.evicted,
        evicted: ring.evicted,
        usedBytes: ring.usedBytes,
        oldest: ring.oldestTime,
      })),
    })
    expect(header.relatedTo).toBeUndefined()
    expect(events.at(-1)).toMatchObject({
      severity: 21,
      facility: 'flog.process',
      message: 'process {pid} died',
      fields: { pid: process.pid, overruns: 0, lastEventMs: expect.any(Number) },
    })
    expect(finished?.summary).toMatchObject({
      state: 'finished',
      closeReason: 'adopted',
      events: { total: expected.length + 1, history: expected.length + 1, after: 0 },
    })
    expect(Math.abs(header.openedAt - clock.now())).toBeLessThan(60e6)
  })

  test.each([
    [{ signal: 'SIGKILL' }, 'process {pid} died of {signal}', 'ended by SIGKILL'],
    [{ code: 134 }, 'process {pid} died with exit code {code}', 'ended with exit code 134'],
  ])('%j, where somebody knows that', async (exit, message, reason) => {
    const box = new App().box(root.path)
    box.poll()
    const finished = await recover(box.path, {
      exitOf: ({ pid }) => (pid === process.pid ? exit : undefined),
    })
    expect(finished?.summary.trigger).toMatchObject({
      reason,
      event: { message, fields: { ...exit, pid: process.pid } },
    })
  })

  test('is made of an empty black box too', async () => {
    const box = new App().box(root.path)
    box.poll()
    const { events } = await read((await recover(box.path))?.path ?? '')
    expect(events).toMatchObject([{ seq: 0, message: 'process {pid} died' }])
  })

  test('and of one that no superblock was written into', async () => {
    const box = new App().box(root.path)
    box.poll()
    truncateSync(box.path, 64 * 1024)
    const finished = await recover(box.path)
    expect(finished?.summary).toMatchObject({ openedAt: OPENED_AT, events: { total: 1 } })
  })

  test('says how many events were overwritten before they were copied', async () => {
    const app = new App(1)
    const box = app.box(root.path)
    app.log(0)
    box.poll()
    for (let i = 0; i < 3000; i++) app.log(0)
    box.poll()
    const overruns = (app.rings[0]?.evicted ?? 0) - 1
    expect(overruns).toBeGreaterThan(1000)
    expect((await recover(box.path))?.summary.trigger.event.fields).toMatchObject({ overruns })
  })

  test.each([
    ['open', { trailer: false }],
    ['closed', {}],
  ])('names the one whose window was %s, if it was open', async (state, options) => {
    writeSample(root.path, { id: incident(2), ...options })
    writeSample(root.path, { id: incident(1, 'fedcba9876543210'), trailer: false })
    const box = new App().box(root.path)
    box.poll()
    const { header } = await read((await recover(box.path))?.path ?? '')
    expect(header.relatedTo).toBe(state === 'open' ? incident(2) : undefined)
  })

  test('is made once', async () => {
    const box = new App().box(root.path)
    box.poll()
    expect(await recover(box.path)).toBeDefined()
    expect(await recover(box.path)).toBeUndefined()
    expect(readdirSync(root.path)).toHaveLength(2)
  })

  test('given up half-way leaves the black box, and no half of an incident', async () => {
    const app = new App(2, 0, 4 * 1024 * 1024)
    for (let i = 0; i < 20_000; i++) app.log(i % 2, 200)
    const box = app.box(root.path)
    box.poll()
    for (const ms of [0, 5, 50]) {
      const signal = AbortSignal.timeout(ms)
      await expect(recover(box.path, { signal })).rejects.toBeDefined()
      const left = readdirSync(root.path).filter((name) => name !== basename(box.path))
      expect(left.filter((name) => !name.endsWith('.incident.flog'))).toEqual([])
      if (left.length > 0) return
    }
  })
})

describe('torn by the death of its process', () => {
  test('in the middle of any write, all that was there before is found, or newer', async () => {
    const app = new App(2, 0xfffff000)
    const box = app.box(root.path)
    for (let i = 0; i < 900; i++) app.log(i % 2, 20 + ((i * 7919) % 1500))
    box.poll()
    const before = readFileSync(box.path)
    const old = await found(box.path)
    for (let i = 0; i < 60; i++) app.log(i % 2, 20 + ((i * 104_729) % 1500))
    box.poll()
    const after = readFileSync(box.path)
    const all = await found(box.path)
    const torn = join(root.path, 'torn')
    // In the order in which they are written: rings first, superblocks last.
    const areas = Array.from({ length: (after.length - 192 * 1024) / PAGE }, (_, i) => 192 * 1024 + i * PAGE)
    const changed = areas.filter(
      (at) => !after.subarray(at, at + PAGE).equals(before.subarray(at, at + PAGE)),
    )
    expect(changed.length).toBeGreaterThan(8)
    const mixed = Buffer.from(before)
    for (const at of changed) {
      after.copy(mixed, at, at, at + PAGE)
      writeFileSync(torn, mixed)
      const now = await found(torn)
      now.perRing.forEach((seqs, ring) => {
        const whole = [...new Set([...(old.perRing[ring] ?? []), ...(all.perRing[ring] ?? [])])]
        const from = whole.indexOf(seqs[0] ?? -1)
        expect(seqs).toEqual(whole.slice(from, from + seqs.length))
        // Nothing that the ring itself still held is missing.
        expect(seqs[0]).toBeLessThanOrEqual(all.perRing[ring]?.[0] ?? 0)
        expect(seqs.at(-1)).toBeGreaterThanOrEqual(old.perRing[ring]?.at(-1) ?? 0)
      })
    }
    // All data, and not yet the superblock.
    const { seqs, beyond } = await found(torn)
    expect(seqs.at(-1)).toBe(all.seqs.at(-1))
    expect(beyond).toBe(60)
  })

  test('inside the superblock, the other one counts', async () => {
    const app = new App(1)
    const box = app.box(root.path)
    for (let i = 0; i < 4; i++) {
      app.log()
      box.poll()
    }
    for (const at of [64 * 1024, 128 * 1024]) {
      const bytes = readFileSync(box.path)
      bytes.fill(0xee, at + 8, at + 50)
      const torn = join(root.path, 'torn')
      writeFileSync(torn, bytes)
      expect((await found(torn)).seqs).toEqual([0, 1, 2, 3])
    }
  })
})

describe('damaged', () => {
  test('anywhere, what is found is a part of what was there, without a hole, and nothing else is thrown', async () => {
    const app = new App(2, 0xffff0000)
    const box = app.box(root.path)
    for (let i = 0; i < 700; i++) app.log(i % 2, 20 + ((i * 7919) % 1500))
    box.poll()
    const whole = await found(box.path)
    const bytes = readFileSync(box.path)
    const damage = fc.record({
      cut: fc.oneof(fc.constant(bytes.length), fc.nat(bytes.length)),
      holes: fc.array(
        fc.record({
          at: fc.nat(bytes.length - 1),
          length: fc.integer({ min: 1, max: 9000 }),
          value: fc.nat(255),
        }),
        { maxLength: 4 },
      ),
    })
    let recovered = 0
    await fc.assert(
      fc.asyncProperty(damage, async ({ cut, holes }) => {
        const damaged = Buffer.from(bytes.subarray(0, cut))
        for (const { at, length, value } of holes) damaged.subarray(at, at + length).fill(value)
        const path = join(root.path, 'damaged')
        writeFileSync(path, damaged)
        try {
          const { perRing } = await found(path)
          perRing.forEach((seqs) => {
            const original = whole.perRing.find((ring) => ring.includes(seqs[0] ?? -1)) ?? []
            const from = original.indexOf(seqs[0] ?? -1)
            expect(seqs).toEqual(seqs.length === 0 ? [] : original.slice(from, from + seqs.length))
          })
          if (perRing.some((seqs) => seqs.length > 0)) recovered++
        } catch (error) {
          if (!FlogError.is(error)) throw error
          expect(error.code).toMatch(/^FLOG_FILE_/)
        }
      }),
      { numRuns: 150 },
    )
    expect(recovered).toBeGreaterThan(20)
  })

  test.each([
    ['of nothing but zeros', () => Buffer.alloc(200_000), 'FLOG_FILE_NOT_INCIDENT'],
    ['cut in its first line', (whole: Buffer) => whole.subarray(0, 20), 'FLOG_FILE_TRUNCATED'],
    ['of another kind', () => Buffer.from('hello\n'.repeat(50)), 'FLOG_FILE_NOT_INCIDENT'],
    ['with a damaged header', (whole: Buffer) => whole.fill(1, 110, 112), 'FLOG_FILE_CORRUPT'],
    ['without a superblock', (whole: Buffer) => whole.fill(1, 65_536, 140_000), 'FLOG_FILE_CORRUPT'],
    ['of a newer version', (whole: Buffer) => whole.fill('7', 15, 16, 'latin1'), 'FLOG_FILE_NEWER'],
  ])('%s it is refused', async (_, make, code) => {
    const app = new App()
    app.log()
    const box = app.box(root.path)
    box.poll()
    writeFileSync(box.path, make(readFileSync(box.path)))
    await expect(recover(box.path)).rejects.toMatchObject({ code })
    expect(readdirSync(root.path)).toHaveLength(1)
  })

  test('a file that claims endless rings takes no memory for them', async () => {
    const app = new App(1)
    const box = app.box(root.path)
    box.poll()
    const path = snapshot(box.path, root.path)
    const { superblock } = await readBlackBox(path)
    const bytes = readFileSync(path)
    const [mark] = superblock?.rings ?? []
    const rings = Array.from({ length: 100 }, () => ({ ...mark, capacity: 2 ** 28 }) as never)
    const { encodeSuperblock } = require('../../../src/incident/black-box/superblock')
    encodeSuperblock({ ...superblock, generation: 99, rings }, bytes.subarray(65_536))
    writeFileSync(path, bytes)
    await expect(readBlackBox(path)).rejects.toMatchObject({ code: 'FLOG_FILE_TOO_LARGE' })
  })
})

test('a black box takes no more of the disk than was written', () => {
  const app = new App(1, 0, 64 * 1024 * 1024)
  const box = app.box(root.path)
  box.poll()
  const { size, blocks } = statSync(box.path)
  expect(size).toBeGreaterThan(64 * 1024 * 1024)
  expect(blocks * 512).toBeLessThan(1024 * 1024)
})
