import { renameSync, rmSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { IncidentChanges } from '../../src/incident/changes'
import { incidentFiles } from '../../src/incident/entries'
import { finishIncident } from '../../src/incident/finish'
import { claimPath, finishedPath, temporaryPath } from '../../src/incident/name'
import { incident, temporaryDirectory, writeSample } from './samples'

const directory = temporaryDirectory()
let changes: IncidentChanges

beforeEach(() => {
  changes = new IncidentChanges(directory.path)
})

function put(number: number): string {
  return writeSample(directory.path, { id: incident(number) })
}

/** One look, as `kind number`. */
async function look(): Promise<string[]> {
  const notices: string[] = []
  for await (const { kind, id } of changes.since(await incidentFiles(directory.path))) {
    notices.push(`${kind} ${id.slice(id.indexOf('-') + 1)}`)
  }
  return notices.sort()
}

test('each change is found once', async () => {
  const path = put(1)
  expect([await look(), await look()]).toEqual([['opened 1'], []])
  await finishIncident(path)
  expect([await look(), await look()]).toEqual([['closed 1'], []])
  rmSync(finishedPath(path))
  expect([await look(), await look(), await look()]).toEqual([[], ['removed 1'], []])
})

test('what began and ended between two looks is closed, or nothing', async () => {
  await finishIncident(put(1))
  rmSync((await finishIncident(put(2))).path)
  expect(await look()).toEqual(['closed 1'])
})

test('both files of an incident at once make one notice', async () => {
  await finishIncident(put(1))
  const plain = put(1)
  expect(await look()).toEqual(['closed 1'])
  rmSync(plain)
  expect([await look(), await look()]).toEqual([[], []])
})

test('a file that is missed once while it is renamed is not removed', async () => {
  const path = put(1)
  await look()
  renameSync(path, `${path}.elsewhere`)
  expect(await look()).toEqual([])
  expect(changes.unsettled).toBe(true)
  renameSync(`${path}.elsewhere`, claimPath(path, 'owner'))
  expect(await look()).toEqual([])
  expect(changes.unsettled).toBe(false)
})

test('a file counts when it can be read, and is given up on for a while after many looks', async () => {
  const path = put(1)
  writeFileSync(path, '')
  writeFileSync(temporaryPath(path, 'owner', '00000000'), '')
  expect(await look()).toEqual([])
  expect([changes.hasUnreadable, changes.unsettled]).toEqual([true, true])
  for (let looks = 0; changes.unsettled; looks++) {
    await look()
    expect(looks).toBeLessThan(100)
  }
  put(1)
  expect(await look()).toEqual(['opened 1'])
  expect(changes.hasUnreadable).toBe(false)
})

test('whatever happens to incidents, and whenever one looks, each is told in order', async () => {
  const step = fc.record({ incident: fc.integer({ min: 1, max: 3 }), look: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      changes = new IncidentChanges(directory.path)
      const lives = new Map<number, string>()
      const told: string[] = []
      for (const { incident: number, look: looking } of steps) {
        lives.set(number, await livedOn(number, lives.get(number)))
        if (looking) told.push(...(await look()))
      }
      told.push(...(await look()), ...(await look()))
      for (const [number, state] of lives) {
        const story = told
          .filter((notice) => notice.endsWith(` ${number}`))
          .map((notice) => notice.split(' ')[0])
        expect(STORIES[state]).toContainEqual(story)
        rmSync(finishedPath(put(number)), { force: true })
      }
      for (const number of lives.keys()) rmSync(put(number))
    }),
    { numRuns: 40 },
  )
})

const STORIES: Record<string, string[][]> = {
  open: [['opened']],
  finished: [['opened', 'closed'], ['closed']],
  gone: [['opened', 'closed', 'removed'], ['opened', 'removed'], ['closed', 'removed'], []],
}

/** Opens, finishes, then removes an incident. */
async function livedOn(number: number, state: string | undefined): Promise<string> {
  if (state === 'gone') return 'gone'
  const path = state === 'finished' ? finishedPath(put(number)) : put(number)
  if (state === undefined) return 'open'
  if (state === 'open') await finishIncident(path)
  else for (const file of [path, path.slice(0, -'.gz'.length)]) rmSync(file)
  return state === 'open' ? 'finished' : 'gone'
}
