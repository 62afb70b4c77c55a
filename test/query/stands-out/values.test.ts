import { whatStandsOut } from '../../../src/query/stands-out'
import { evenly, quietly, recordingOf, type Said, spread } from './recordings'

const worst: Omit<Said, 'at'> = {
  severity: 'error',
  facility: 'queue',
  message: 'job failed',
  fields: { job: 'j-7' },
}
const jobs = evenly(150, -60, 0, (at, n) => ({
  at,
  facility: 'queue',
  message: 'job done',
  fields: { job: `j-${n}x` },
}))
const texts = (said: readonly Said[], trigger = worst) =>
  whatStandsOut(recordingOf([...quietly(), ...said], { trigger }))
    .map(({ text }) => text)
    .join('\n')

test('a value that all failing events have, and no other', () => {
  const failing = evenly(8, -58, -2, (at) => ({ at, ...worst }))
  expect(texts([...jobs, ...failing])).toContain('job=j-7 in 9 of 9 failing events, in 0 of 150 others')
})

test('a value of another event of the same trace', () => {
  const requests = evenly(200, -60, 0, (at, n) => ({
    at,
    facility: 'http',
    message: 'request',
    traceId: `t${n}`,
    fields: { tenant: n % 10 === 0 ? 'acme' : `other-${n % 7}`, server: n % 2 },
  }))
  const failing = requests
    .filter(({ at, fields }) => at > -40 && fields?.['tenant'] === 'acme')
    .map(({ at, traceId = '' }) => ({ ...worst, at: at + 0.01, traceId, facility: 'http', fields: {} }))
  expect(texts([...requests, ...failing], { ...worst, facility: 'http', fields: {} })).toMatch(
    /tenant=acme in (\d+) of \1/,
  )
})

test('a value that the others have as often says nothing', () => {
  const failing = evenly(8, -58, -2, (at) => ({ at, ...worst, fields: { server: 1 } }))
  const others = jobs.map((job, n) => ({ ...job, fields: { server: spread(n) < 0.8 ? 1 : 2 } }))
  expect(texts([...others, ...failing], { ...worst, fields: { server: 1 } })).not.toContain('server')
})
