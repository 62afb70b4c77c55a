import {
  chmodSync,
  closeSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { FlogError } from '../../src/base/errors'
import { IncidentDirectory } from '../../src/incident/directory'
import { finishIncident } from '../../src/incident/finish'
import { claimPath, finishedPath, temporaryPath } from '../../src/incident/name'
import { incident, OPENED_AT, samplePlain, temporaryDirectory, writeSample } from './samples'

const root = temporaryDirectory()
let directory: IncidentDirectory

beforeEach(() => {
  directory = new IncidentDirectory({ path: join(root.path, 'incidents') })
})

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8)
}

function put(number: number): string {
  directory.ensureSync()
  return writeSample(directory.path, { id: incident(number), openedAt: OPENED_AT + number * 1e6 })
}

describe('making files', () => {
  test('only their owner may read them, and the directory', () => {
    const { fd, path } = directory.createPlainSync(OPENED_AT, incident(1))
    closeSync(fd)
    expect(modeOf(path)).toBe('600')
    expect(modeOf(directory.path)).toBe('700')
  })

  test('other permissions can be asked for', () => {
    const open = new IncidentDirectory({
      path: join(root.path, 'open'),
      fileMode: 0o640,
      directoryMode: 0o750,
    })
    const { fd, path } = open.createPlainSync(OPENED_AT, incident(1))
    closeSync(fd)
    expect(modeOf(path)).toBe('640')
    expect(modeOf(open.path)).toBe('750')
  })

  test('appends, whatever else has written there', () => {
    const { fd, path } = directory.createPlainSync(OPENED_AT, incident(1))
    writeSync(fd, 'one')
    writeFileSync(path, 'more than one')
    writeSync(fd, ' two')
    closeSync(fd)
    expect(readFileSync(path, 'utf8')).toBe('more than one two')
  })

  test('makes a directory again that was removed', () => {
    directory.ensureSync()
    rmSync(directory.path, { recursive: true })
    closeSync(directory.createPlainSync(OPENED_AT, incident(1)).fd)
    expect(modeOf(directory.path)).toBe('700')
  })

  test('never writes over a file or through a symbolic link', () => {
    const { fd, path } = directory.createPlainSync(OPENED_AT, incident(1))
    closeSync(fd)
    const unusable = expect.objectContaining({ code: 'FLOG_DIRECTORY_UNUSABLE' })
    expect(() => directory.createPlainSync(OPENED_AT, incident(1))).toThrow(unusable)
    const victim = join(root.path, 'victim')
    symlinkSync(victim, path.replace(incident(1), incident(2)))
    expect(() => directory.createPlainSync(OPENED_AT, incident(2))).toThrow(unusable)
    expect(() => statSync(victim)).toThrow('ENOENT')
  })

  test('in place of which there is a file says so', () => {
    writeFileSync(directory.path, '')
    const unusable = expect.objectContaining({ code: 'FLOG_DIRECTORY_UNUSABLE' })
    expect(() => directory.ensureSync()).toThrow(unusable)
    expect(() => directory.createPlainSync(OPENED_AT, incident(1))).toThrow(unusable)
  })

  test('where everybody may write is warned about, once', () => {
    const warnings: FlogError[] = []
    const exposed = new IncidentDirectory({ path: root.path, onWarning: (warning) => warnings.push(warning) })
    chmodSync(root.path, 0o777)
    exposed.ensureSync()
    exposed.ensureSync()
    expect(warnings).toEqual([expect.objectContaining({ code: 'FLOG_DIRECTORY_EXPOSED' })])
  })

  test('needs a path', () => {
    expect(() => new IncidentDirectory({ path: '' })).toThrow('option directory')
  })
})

describe('listing', () => {
  test('tells of open and finished incidents, oldest first', async () => {
    put(10)
    await finishIncident(put(9))
    put(2)
    const incidents = await directory.list()
    expect(incidents.map(({ id, state }) => [id, state])).toEqual([
      [incident(2), 'open'],
      [incident(9), 'finished'],
      [incident(10), 'open'],
    ])
    expect(incidents[1]?.trigger.event.message).toBe('event 20')
  })

  test('a directory that is not there holds nothing', async () => {
    expect(await directory.scan()).toEqual({ incidents: [], unreadable: [] })
    expect(await directory.find(incident(1))).toBeUndefined()
  })

  test('one that cannot be read is an error', async () => {
    writeFileSync(directory.path, '')
    await expect(directory.list()).rejects.toMatchObject({ code: 'FLOG_DIRECTORY_UNUSABLE' })
  })

  test('shows an incident once while both its files are there, the finished one first', async () => {
    const plain = put(1)
    await finishIncident(plain)
    put(1)
    expect((await directory.list()).map(({ state }) => state)).toEqual(['finished'])
    writeFileSync(finishedPath(plain), 'damaged')
    const { incidents, unreadable } = await directory.scan()
    expect(incidents.map(({ state }) => state)).toEqual(['open'])
    expect(unreadable.map(({ path }) => path)).toEqual([finishedPath(plain)])
  })

  test('shows an incident that is being adopted, and no half-written files', async () => {
    const plain = put(1)
    renameSync(plain, claimPath(plain, 'owner'))
    writeFileSync(temporaryPath(plain, 'owner', '00000000'), 'half')
    const { incidents, unreadable } = await directory.scan()
    expect(incidents.map(({ id }) => id)).toEqual([incident(1)])
    expect(unreadable).toEqual([])
  })

  test('goes by the header, not by the name', async () => {
    renameSync(put(1), join(directory.path, 'the big one.incident.flog'))
    expect((await directory.list()).map(({ id }) => id)).toEqual([incident(1)])
    expect((await directory.find(incident(1)))?.id).toBe(incident(1))
  })

  test('reports unreadable files beside the list', async () => {
    const good = put(1)
    const bad = ['empty', 'foreign', 'cut'].map((name) => join(directory.path, `${name}.incident.flog`))
    writeFileSync(bad[0]!, '')
    writeFileSync(bad[1]!, '{"level":"info"}\n')
    writeFileSync(bad[2]!, readFileSync(good).subarray(0, 200))
    symlinkSync('/etc/passwd', join(directory.path, 'link.incident.flog'))
    mkdirSync(join(directory.path, 'directory.incident.flog'))
    const { incidents, unreadable } = await directory.scan()
    expect(incidents.map(({ id }) => id)).toEqual([incident(1)])
    expect(unreadable.map(({ path }) => path).sort()).toEqual(bad.sort())
    for (const { error } of unreadable) expect(error.code).toMatch(/^FLOG_FILE_/)
  })

  test('misses nothing while incidents are being finished', async () => {
    const paths = Array.from({ length: 30 }, (_, i) => put(i + 1))
    const finishing = (async () => {
      for (const path of paths) await finishIncident(path)
    })()
    const counts = new Set<number>()
    for (let done = false; !done; ) {
      counts.add((await directory.list()).length)
      done = await Promise.race([
        finishing.then(() => true),
        new Promise<boolean>((go) => setImmediate(go, false)),
      ])
    }
    expect([...counts]).toEqual([30])
  })
})

describe('opening', () => {
  test('reads a finished incident to its end, even if it is removed meanwhile', async () => {
    const { path } = await finishIncident(put(1))
    const bytes = readFileSync(path)
    const file = await directory.open(incident(1), 'gzip')
    expect(await directory.remove(incident(1))).toBe(true)
    expect(file).toMatchObject({
      id: incident(1),
      representation: 'gzip',
      size: bytes.length,
      openedAt: OPENED_AT + 1e6,
    })
    const read = [
      await file.read(0, 100),
      await file.read(100, bytes.length),
      await file.read(bytes.length, 10),
    ]
    expect(Buffer.concat(read).equals(bytes)).toBe(true)
    await file.close()
    await file.close()
  })

  test('gives a snapshot of an open incident', async () => {
    const path = put(1)
    const file = await directory.open(incident(1), 'open')
    writeFileSync(path, 'more', { flag: 'a' })
    expect(file.size).toBe(samplePlain().length)
    await file.close()
  })

  test.each([
    ['an unknown id', incident(2), 'gzip', 'there is no incident'],
    ['a path', '../../etc/passwd', 'gzip', 'there is no incident with that id'],
    ['a name', 'x', 'open', 'there is no incident with that id'],
    ['the finished file of an open incident', incident(1), 'gzip', 'is not finished yet'],
  ] as const)('%s is refused', async (_, id, representation, message) => {
    put(1)
    const refused = expect(directory.open(id, representation)).rejects
    await refused.toMatchObject({ code: 'FLOG_INCIDENT_UNKNOWN', message: expect.stringContaining(message) })
  })
})

describe('removing', () => {
  test('takes a finished incident away, once', async () => {
    await finishIncident(put(1))
    expect(await directory.remove(incident(1))).toBe(true)
    expect(await directory.remove(incident(1))).toBe(false)
    expect(await directory.list()).toEqual([])
  })

  test('refuses an open one', async () => {
    put(1)
    await expect(directory.remove(incident(1))).rejects.toMatchObject({ code: 'FLOG_INCIDENT_OPEN' })
    expect(await directory.list()).toHaveLength(1)
  })
})

test('the quota of the directory is the one that is applied', async () => {
  directory = new IncidentDirectory({ path: directory.path, quota: { maxIncidents: 1 } })
  for (const number of [1, 2]) await finishIncident(put(number))
  expect((await directory.enforceQuota()).map(({ id }) => id)).toEqual([incident(1)])
  expect((await directory.list()).map(({ id }) => id)).toEqual([incident(2)])
})
