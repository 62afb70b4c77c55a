import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { IncidentPart } from '../../src/incident/parser'
import { readIncidentFile } from '../../src/incident/reader'
import { collectRecording } from '../../src/query/recording'
import { samplePlain, temporaryDirectory } from '../incident/samples'

const directory = temporaryDirectory()

test('a file is collected whole: header, events with their marks, trailer and verdict', async () => {
  const path = join(directory.path, 'file.flog')
  writeFileSync(path, samplePlain({ history: 20, after: 5, further: [22] }))
  const recording = await collectRecording(readIncidentFile(path))
  expect(recording).toMatchObject({
    header: { service: 'samples' },
    trailer: { reason: 'events' },
    verdict: { state: 'whole' },
  })
  expect(recording.events.map(({ event }) => event.seq)).toEqual(Array.from({ length: 26 }, (_, seq) => seq))
  expect(recording.events.flatMap(({ event, mark }) => (mark ? [[event.seq, mark]] : []))).toEqual([
    [20, 'trigger'],
    [22, 'further'],
  ])
})

test('events that come out of order are put in order', async () => {
  const path = join(directory.path, 'file.flog')
  writeFileSync(path, samplePlain())
  async function* backwards() {
    const parts: IncidentPart[] = []
    for await (const part of readIncidentFile(path)) parts.unshift(part)
    yield* parts
  }
  const seqs = (await collectRecording(backwards())).events.map(({ event }) => event.seq)
  expect(seqs).toEqual([...seqs].sort((one, other) => one - other))
})
