import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { incidentFiles } from '../../src/incident/entries'
import { finishIncident } from '../../src/incident/finish'
import { locateIncidents } from '../../src/incident/listing'
import { temporaryPath } from '../../src/incident/name'
import { allLines, startProgram } from './programs'
import { incident, OPENED_AT, temporaryDirectory, writeSample } from './samples'

const directory = temporaryDirectory()

test('incidents of one moment are in the order of their numbers, the finished file before the plain one', async () => {
  const put = (number: number, openedAt = OPENED_AT) =>
    writeSample(directory.path, { id: incident(number), openedAt })
  for (const number of [10, 2, 9]) put(number)
  await finishIncident(put(9))
  put(9)
  put(1, OPENED_AT + 5_000_000)
  const { located } = await locateIncidents(directory.path)
  expect(located.map(({ summary, file }) => [summary.number, file.kind])).toEqual([
    [2, 'plain'],
    [9, 'gzip'],
    [9, 'plain'],
    [10, 'plain'],
    [1, 'plain'],
  ])
})

test('a filter spares the reading of files, temporary ones are never read', async () => {
  const path = writeSample(directory.path, { id: incident(1) })
  writeFileSync(temporaryPath(path, 'owner', '00000000'), '')
  renameSync(writeSample(directory.path, { id: incident(2) }), join(directory.path, 'named.incident.flog'))
  writeFileSync(join(directory.path, 'bad.incident.flog'), '')
  const asked: string[] = []
  const found = await locateIncidents(
    directory.path,
    ({ name, id }) => asked.push(name) > 0 && id === undefined,
  )
  expect(asked).toHaveLength(3)
  expect(found.located.map(({ summary }) => summary.number)).toEqual([2])
  expect(found.unreadable.map(({ error }) => error.code)).toEqual(['FLOG_FILE_NOT_INCIDENT'])
})

test('a process that is out of file descriptors gets an error, not a list with gaps', async () => {
  for (let number = 1; number <= 8; number++) writeSample(directory.path, { id: incident(number) })
  const output = await allLines<string>(startProgram('list-without-descriptors', directory.path))
  expect(output).toEqual(['FLOG_DIRECTORY_UNUSABLE', 'FLOG_DIRECTORY_UNUSABLE', 8])
})

test('a directory that is not there has no files', async () => {
  expect(await incidentFiles(join(directory.path, 'none'))).toEqual([])
})
