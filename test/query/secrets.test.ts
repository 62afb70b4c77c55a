import type { LogEvent, PlainObject } from '../../src/event/event'
import { SecretFinder } from '../../src/query/secrets'
import { sampleEvent, sampleHeader } from '../incident/samples'

/** Put together here, so that nobody who looks for secrets finds them in this file. */
const SECRETS: readonly (readonly [what: string, text: string])[] = [
  [
    'private key',
    `-----BEGIN RSA ${'PRIVATE'} KEY-----\nMIIEow${'A'.repeat(200)}\n-----END RSA ${'PRIVATE'} KEY-----`,
  ],
  ['private key', `-----BEGIN ${'PRIVATE'} KEY-----\nMIIEow and cut`],
  ['bearer token', `Bearer ${'abcdef0123456789'.repeat(2)}`],
  ['JSON web token', `eyJ${'hbGciOiJIUzI1NiJ9'}.eyJ${'zdWIiOiIxMjM0NTY3ODkwIn0'}.dozjgNryP4J3jVmN`],
  ['password of HTTP authorization', `authorization: Basic ${'dXNlcjpwYXNzd29yZA=='}`],
  ['AWS key', `AKIA${'IOSFODNN7EXAMPLE'}`],
  ['AWS key', `aws_secret_access_key = ${'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'}`],
  ['GitHub token', `ghp_${'a1B2'.repeat(9)}`],
  ['GitHub token', `github_pat_${'11ABCDEFG0abcdefghijkl'}_x`],
  ['GitLab token', `glpat-${'abcdefghij0123456789'}`],
  ['Slack token', `xoxb-${'123456789012-abcdefghij'}`],
  ['Slack token', `https://hooks.slack.com/services/${'T00000000/B00000000/XXXXXXXX'}`],
  ['Stripe key', `sk_live_${'abcdefghijklmnop1234'}`],
  ['Google key', `AIza${'SyA1234567890abcdefghijklmnopqrstuvw'}`],
  ['npm token', `npm_${'a1B2'.repeat(9)}`],
  ['SendGrid key', `SG.${'abcdefghijklmnopqrstuv'}.${'abcdefghijklmnopqrstuvwxyz0123456789abcdefg'}`],
  ['key of a language model', `sk-proj-${'a1B2'.repeat(9)}`],
  ['key of a language model', `sk-${'a1B2'.repeat(12)}`],
  ['secret beside its name', `password=${'hunter22'}`],
  ['secret beside its name', `DB_PASSWORD='${'hunter22'}'`],
  ['secret beside its name', `{"user":"ada","apiKey":"${'k-123456'}"}`],
  ['secret in the address of a request', 'GET /login?user=ada&access_token=0123456789abcdef'],
  ['password in a URL', 'postgres://app:hunter2@db.example/shop'],
]

function findingsOf(...events: Partial<LogEvent>[]) {
  const finder = new SecretFinder()
  finder.take({
    kind: 'events',
    events: events.map((event, seq) => ({ event: { ...sampleEvent(seq), ...event } })),
  })
  return finder.findings()
}

describe.each(SECRETS)('a %s', (what, secret) => {
  test.each<[string, Partial<LogEvent>]>([
    ['a message', { message: `sent ${secret} to it` }],
    ['a field', { fields: { note: secret } }],
    ['a list in a field', { fields: { a: { b: ['x', { c: secret }] } } }],
    ['a map, a set and bytes', { fields: { m: { $: 'map', v: [['k', { $: 'set', v: [secret] }]] } } }],
    ['bytes', { fields: { body: new TextEncoder().encode(secret) } }],
    ['an error', { error: { name: 'E', message: secret } }],
    [
      'the cause of an error',
      { error: { name: 'E', message: '', cause: { $: 'error', name: 'F', message: secret } } },
    ],
  ])('in %s is found, and not told', (_place, event) => {
    const findings = findingsOf({}, event)
    expect(findings).toEqual(expect.arrayContaining([{ count: 1, what, where: { seq: 1 } }]))
    expect(JSON.stringify(findings)).not.toContain(secret)
  })
})

test('fields named like secrets are found by their name, unless nothing is in them', () => {
  const fields: PlainObject = {
    password: 'hunter2',
    'x-api-key': 'k-123456',
    session: { authToken: { value: 'abcdef' } },
    headers: { $: 'map', v: [['set-cookie', 'sid=1234']] },
  }
  expect(findingsOf({ fields })).toEqual([{ count: 4, what: 'values named like secrets', where: { seq: 0 } }])
  const harmless = { password: '[redacted]', token: '', secret: null, tokens: 5, maxToken: 7, cookie: false }
  expect(findingsOf({ fields: harmless })).toEqual([])
})

test('arguments of the program are looked at by their names', () => {
  const finder = new SecretFinder()
  const argv = [
    'server.js',
    '--token=t0ps3cret',
    '--password',
    'hunter2',
    '--port',
    '80',
    '--secret=[redacted]',
  ]
  finder.take({ kind: 'header', header: { ...sampleHeader(), argv } })
  expect(finder.findings()).toEqual([{ count: 2, what: 'values named like secrets', where: 'header' }])
})

test('ordinary logs hold no secrets', () => {
  const texts = [
    'a basic understanding of bearer tokens is required',
    'GET https://shop.example/orders?page=2&sort=token',
    'user ada@example.com logged in from 10.0.0.1:443',
    'commit 3f786850e387550fdab836ed7e6dc881de23001b',
    'trace 4bf92f3577b34da6a3ce929d0e0e4736',
    'password must not be empty',
    'postgres://app:[redacted]@db.example/shop',
    'GET /login?access_token=[redacted]',
    'authorization: [redacted]',
    'password=[redacted] {"password":"[redacted]"}',
    'password: must not be empty, got password=undefined secret=null',
    'api_key=$' + '{API_KEY} password={password} secret=<none> apiKey=***',
    'sk-learn and SG.1 are names',
  ]
  expect(findingsOf(...texts.map((message) => ({ message, fields: { url: message } })))).toEqual([])
})

test('header and trailer are looked through, and kinds come with the most frequent first', () => {
  const finder = new SecretFinder()
  const [, token = ''] = SECRETS.find(([what]) => what === 'bearer token') ?? []
  finder.take({
    kind: 'header',
    header: { ...sampleHeader(), argv: ['--db', 'mysql://root:toor@db/x', token] },
  })
  finder.take({ kind: 'events', events: [{ event: { ...sampleEvent(4), message: `${token} ${token}` } }] })
  expect(finder.findings()).toEqual([
    { count: 3, what: 'bearer tokens', where: 'header' },
    { count: 1, what: 'password in a URL', where: 'header' },
  ])
})

test('long texts take no long time', () => {
  const long = [
    '-----BEGIN PRIVATE KEY-----',
    'eyJ',
    'Bearer ',
    '?token=',
    'aws_secret',
    'a://b:',
    ' secret',
    'password=',
    'sk-',
  ].map((start) => start.repeat(40_000))
  expect(findingsOf(...long.map((message) => ({ message }))).length).toBeGreaterThan(0)
}, 20_000)
