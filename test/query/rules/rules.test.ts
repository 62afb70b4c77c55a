import type { Recording } from '../../../src/query/recording'
import { parseRules } from '../../../src/query/rules/rules'
import { eventAt, recordingOf } from './recordings'

const TRIGGER = eventAt(0, 'no connection within {limit} ms', {
  severity: 17,
  facility: 'db.pool',
  fields: { limit: 500, code: 'ETIMEDOUT', primary: true, shard: null, tags: ['slow', 'paid'], seq: 9 },
  error: { name: 'TimeoutError', message: 'm' },
})
const RECORDING = recordingOf(
  TRIGGER,
  [
    eventAt(-9000, 'leak suspected'),
    eventAt(-4000, 'pool grows', { facility: 'db.pool' }),
    eventAt(3, 'recovered'),
  ],
  { service: 'shop', fingerprint: 'abc123' },
)

const place = (path: readonly (string | number)[]): string => path.join('.')

function categories(rule: object, recording: Recording = RECORDING): readonly string[] {
  const { classifiers, problems } = parseRules([{ category: 'it', ...rule }], place)
  expect(problems).toEqual([])
  return classifiers.flatMap((classifier) => classifier.classify(recording))
}

describe('a rule holds', () => {
  test.each<object>([
    { trigger: 'facility:db error:Timeout' },
    { trigger: 'is:trigger limit>=500' },
    { fields: { code: 'ETIMEDOUT' } },
    { fields: { limit: 500, primary: true, shard: null } },
    { fields: { code: ['ECONNRESET', 'ETIMEDOUT'] } },
    { fields: { code: '/^etime/i', tags: 'paid', seq: 9 } },
    { any: 'message:leak' },
    { any: ['message:leak', 'message:recovered after:0'] },
    { none: 'severity>=fatal' },
    { sequence: ['message:leak', 'message:pool', 'is:trigger'] },
    { sequence: ['message:leak', { event: 'message:pool', within: '5s' }] },
    { sequence: ['message:leak', { event: 'message:pool', within: 5000 }] },
    { fingerprint: 'abc123' },
    { kind: ['stall', 'event'] },
    { service: 'shop' },
    { trigger: 'error:Timeout', any: 'message:leak', none: 'message:deploy', note: 'for people' },
  ])('%j', (rule) => expect(categories(rule)).toEqual(['it']))
})

describe('a rule does not hold', () => {
  test.each<object>([
    { trigger: 'facility:http' },
    { trigger: 'message:leak' },
    { fields: { code: 'ECONNRESET' } },
    { fields: { absent: 'x' } },
    { any: ['message:leak', 'message:deploy'] },
    { none: ['message:deploy', 'message:leak'] },
    { sequence: ['message:pool', 'message:leak'] },
    { sequence: ['message:leak', { event: 'message:pool', within: '4999ms' }] },
    { fingerprint: ['abc', 'def'] },
    { kind: 'stall' },
    { service: 'shops' },
    { trigger: 'error:Timeout', any: 'message:deploy' },
  ])('%j', (rule) => expect(categories(rule)).toEqual([]))
})

test('several categories, from one rule and from several', () => {
  const rules = [
    { categories: ['db', 'pool'], trigger: 'facility:db' },
    { category: 'slow', trigger: 'error:Timeout' },
  ]
  const { classifiers } = parseRules({ rules }, place)
  expect(classifiers.flatMap((classifier) => classifier.classify(RECORDING))).toEqual(['db', 'pool', 'slow'])
  expect(classifiers.map((classifier) => classifier.place)).toEqual(['rules.0', 'rules.1'])
})

test('without a header the copy of the trigger among the events counts', () => {
  const torn = { ...RECORDING, header: undefined }
  expect(categories({ trigger: 'error:Timeout' }, torn)).toEqual(['it'])
  expect(categories({ sequence: ['before:-1s', 'after:-1s'] }, torn)).toEqual(['it'])
  expect(categories({ fingerprint: 'abc123' }, torn)).toEqual([])
  expect(categories({ trigger: 'error:Timeout' }, { ...torn, events: [] })).toEqual([])
})

describe('what is wrong with a rule is told, and where', () => {
  test.each<[unknown, string, RegExp]>([
    [{ trigger: 'x' }, '0', /needs a category/],
    [{ category: 'a' }, '0', /needs at least one of trigger, fields/],
    [{ category: 'a', tigger: 'x' }, '0.tigger', /no tigger; it has category, and trigger/],
    [{ category: 'a', toString: 'x' }, '0.toString', /no toString/],
    [{ category: 'a,b', trigger: 'x' }, '0.category', /none of them a comma/],
    [{ category: 'unknown', trigger: 'x' }, '0.category', /for incidents that nobody knows/],
    [{ categories: ['a', 7], trigger: 'x' }, '0.categories', /got a value of type number/],
    [{ category: 'a', trigger: 'severity>=' }, '0.trigger', /character 11/],
    [{ category: 'a', trigger: 'message~"(["' }, '0.trigger', /regular expression/],
    [{ category: 'a', trigger: '' }, '0.trigger', /a filter is a text/],
    [{ category: 'a', any: [] }, '0.any', /empty/],
    [{ category: 'a', any: ['x', 7] }, '0.any.1', /a filter is a text/],
    [{ category: 'a', fields: 'x' }, '0.fields', /a map/],
    [{ category: 'a', fields: { x: { y: 1 } } }, '0.fields.x', /the value of a field/],
    [{ category: 'a', fields: { x: '/(/' } }, '0.fields.x', /regular expression/],
    [{ category: 'a', sequence: ['x'] }, '0.sequence', /two events/],
    [{ category: 'a', sequence: [{ event: 'x', within: 5 }, 'y'] }, '0.sequence.0.within', /after none/],
    [{ category: 'a', sequence: ['x', { event: 'y', within: 'soon' }] }, '0.sequence.1.within', /500ms/],
    [{ category: 'a', sequence: ['x', { event: 'y', after: 5 }] }, '0.sequence.1.after', /event, within/],
    [{ category: 'a', fingerprint: 123 }, '0.fingerprint', /in quotes/],
    ['category', '0', /a map/],
  ])('%j', (rule, path, message) => {
    const { classifiers, problems } = parseRules([rule, { category: 'good', any: 'leak' }], place)
    expect(problems).toEqual([
      {
        path: path.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key)),
        message: expect.any(String),
      },
    ])
    expect(problems[0]?.message).toMatch(message)
    expect(classifiers.flatMap((classifier) => classifier.classify(RECORDING))).toEqual(['good'])
  })

  test.each([['text'], [7], [{ rules: {} }], [{ trigger: 'x' }]])('%j is no list of rules', (data) => {
    expect(parseRules(data, place)).toMatchObject({
      classifiers: [],
      problems: [{ message: expect.stringContaining('a list') }],
    })
  })

  test.each([[null], [undefined], [[]], [{ rules: null }]])('%j is a list without rules', (data) => {
    expect(parseRules(data, place)).toEqual({ classifiers: [], problems: [] })
  })
})
