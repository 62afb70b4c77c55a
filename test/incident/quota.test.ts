import { readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { claimPath, plainFileName, temporaryPath } from '../../src/incident/name'
import { enforceQuota, type Quota } from '../../src/incident/quota'
import { lines, startProgram } from './programs'
import { incident, OPENED_AT, temporaryDirectory } from './samples'

const directory = temporaryDirectory()

/** An incident file of so many bytes, opened `number` seconds after the first; the quota does not look inside. */
function put(number: number, bytes: number, kind: 'gzip' | 'plain' | 'claim' = 'gzip'): string {
  const plain = join(directory.path, plainFileName(OPENED_AT + number * 1e6, incident(number)))
  const path = kind === 'gzip' ? `${plain}.gz` : kind === 'plain' ? plain : claimPath(plain, 'owner')
  writeFileSync(path, Buffer.alloc(bytes))
  return path
}

function quota(limits: Partial<Quota>): Quota {
  return { maxBytes: Number.MAX_SAFE_INTEGER, maxIncidents: Number.MAX_SAFE_INTEGER, ...limits }
}

describe('a quota', () => {
  test('by count removes the oldest finished incidents and tells which', async () => {
    const paths = [3, 1, 2, 4].map((number) => put(number, 10))
    const removed = await enforceQuota(directory.path, quota({ maxIncidents: 2 }))
    expect(removed).toEqual([
      { id: incident(1), path: paths[1], bytes: 10 },
      { id: incident(2), path: paths[2], bytes: 10 },
    ])
    expect(readdirSync(directory.path)).toHaveLength(2)
  })

  test('by bytes removes as many as it takes and no more', async () => {
    for (const number of [1, 2, 3, 4]) put(number, 100)
    const removed = await enforceQuota(directory.path, quota({ maxBytes: 250 }))
    expect(removed.map(({ id }) => id)).toEqual([incident(1), incident(2)])
  })

  test('spares the one that was just finished, even where the clock makes it look the oldest', async () => {
    for (const number of [1, 2, 3, 4]) put(number, 10)
    const removed = await enforceQuota(directory.path, quota({ maxIncidents: 2 }), incident(1))
    expect(removed.map(({ id }) => id)).toEqual([incident(2), incident(3)])
  })

  test('orders the incidents of one millisecond by their number', async () => {
    for (const number of [9, 10, 11]) {
      writeFileSync(join(directory.path, `${plainFileName(OPENED_AT, incident(number))}.gz`), 'x')
    }
    const removed = await enforceQuota(directory.path, quota({ maxIncidents: 2 }))
    expect(removed.map(({ id }) => id)).toEqual([incident(9)])
  })

  test('never removes what is open, what is being adopted, or the newest finished one', async () => {
    put(1, 100, 'plain')
    put(2, 100, 'claim')
    put(3, 100)
    put(4, 100)
    put(5, 100, 'plain')
    const removed = await enforceQuota(directory.path, quota({ maxBytes: 1, maxIncidents: 1 }))
    expect(removed.map(({ id }) => id)).toEqual([incident(3)])
  })

  test('keeps an incident whose plain file has not gone yet, and counts it once', async () => {
    put(1, 100)
    put(1, 300, 'plain')
    put(2, 100)
    expect(await enforceQuota(directory.path, quota({ maxIncidents: 2 }))).toEqual([])
    expect(await enforceQuota(directory.path, quota({ maxBytes: 100 }))).toEqual([])
  })

  test('leaves alone what it did not make', async () => {
    writeFileSync(join(directory.path, 'keep this one.incident.flog.gz'), 'x')
    writeFileSync(join(directory.path, 'notes.txt'), 'x')
    writeFileSync(temporaryPath(put(1, 1), 'owner', '00000000'), 'x')
    symlinkSync('/etc/hostname', join(directory.path, `${plainFileName(0, incident(7))}.gz`))
    put(2, 1)
    const removed = await enforceQuota(directory.path, quota({ maxBytes: 1 }))
    expect(removed.map(({ id }) => id)).toEqual([incident(1)])
    expect(readdirSync(directory.path)).toHaveLength(5)
  })

  test('is kept for any set of sizes, or nothing more can go', async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 1, max: 200 }), async (bytes, maxBytes) => {
        for (const [i, size] of bytes.entries()) put(i + 1, size)
        const removed = await enforceQuota(directory.path, quota({ maxBytes }))
        const left = bytes.slice(removed.length)
        const total = left.reduce((sum, size) => sum + size, 0)
        expect(removed.map(({ id }) => id)).toEqual(
          bytes.slice(0, removed.length).map((_, i) => incident(i + 1)),
        )
        expect(total <= maxBytes || left.length === 1).toBe(true)
        const lastRemoved = bytes[removed.length - 1] ?? Number.POSITIVE_INFINITY
        expect(total + lastRemoved).toBeGreaterThan(maxBytes)
        await enforceQuota(directory.path, quota({ maxIncidents: 0 }))
        for (const name of readdirSync(directory.path)) rmSync(join(directory.path, name))
      }),
      { numRuns: 30 },
    )
  })

  test('of a directory that is gone is an error', async () => {
    await expect(enforceQuota(join(directory.path, 'gone'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('applied by several processes at once removes each incident once and none too many', async () => {
    for (let number = 1; number <= 300; number++) put(number, 1)
    const programs = [1, 2, 3].map(() => startProgram('enforce-quota', directory.path, '50'))
    const outputs = programs.map((program) => lines<string | string[]>(program))
    for (const output of outputs) expect((await output.next()).value).toBe('ready')
    for (const program of programs) program.stdin.write('go\n')
    const removed = []
    for (const output of outputs) removed.push(...((await output.next()).value as string[]))
    expect(removed).toHaveLength(250)
    expect(new Set(removed).size).toBe(250)
    expect(readdirSync(directory.path)).toHaveLength(50)
  })
})
