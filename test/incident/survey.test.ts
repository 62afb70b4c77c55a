import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { surveyPlainFile } from '../../src/incident/survey'
import { verifyIncidentFile } from '../../src/incident/verify'
import { samplePlain, temporaryDirectory } from './samples'

const directory = temporaryDirectory()

function put(plain: Uint8Array): string {
  const path = join(directory.path, 'some.incident.flog')
  writeFileSync(path, plain)
  return path
}

test('counts history, later events and further triggers, and finds the end', async () => {
  const plain = samplePlain({ history: 2000, after: 6, further: [2002, 2005] })
  expect(await surveyPlainFile(put(plain))).toMatchObject({
    total: 2007,
    history: 2001,
    furtherTriggers: [
      { seq: 2002, kind: 'event', reason: 'event 2002' },
      { seq: 2005, kind: 'event', reason: 'event 2005' },
    ],
    furtherTriggersOmitted: 0,
    hasHeader: true,
    hasTrailer: true,
    end: plain.length,
    size: plain.length,
  })
})

test('lists the first 512 further triggers and counts the others', async () => {
  const further = Array.from({ length: 600 }, (_, i) => 21 + i)
  const survey = await surveyPlainFile(put(samplePlain({ after: 600, further })))
  expect(survey.furtherTriggers).toHaveLength(512)
  expect(survey.furtherTriggersOmitted).toBe(88)
})

test('agrees with a full reading, cut at any byte', async () => {
  const plain = samplePlain({ history: 3, after: 2, trailer: false })
  for (let length = plain.length; length > 0; length -= 7) {
    const path = put(plain.subarray(0, length))
    const { total, hasHeader, hasTrailer, end } = await surveyPlainFile(path)
    const { verdict } = await verifyIncidentFile(path)
    expect({ total, hasHeader, hasTrailer }).toEqual({
      total: verdict.events,
      hasHeader: verdict.hasHeader,
      hasTrailer: verdict.hasTrailer,
    })
    expect(end).toBe(hasHeader ? verdict.wholeBytes : end)
  }
})

test('can be given up', async () => {
  const path = put(samplePlain())
  await expect(surveyPlainFile(path, AbortSignal.abort())).rejects.toMatchObject({ code: 'FLOG_ABORTED' })
})

test.each([
  ['missing', undefined, 'FLOG_FILE_MISSING'],
  ['foreign', 'text\n', 'FLOG_FILE_NOT_INCIDENT'],
])('a file that is %s is refused', async (_, text, code) => {
  const path = text === undefined ? join(directory.path, 'none') : put(Buffer.from(text))
  await expect(surveyPlainFile(path)).rejects.toMatchObject({ code })
})
