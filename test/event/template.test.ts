import { format } from 'node:util'
import fc from 'fast-check'
import type { Plain } from '../../src/event/event'
import { fillTemplate, messageText } from '../../src/event/template'

describe('fillTemplate', () => {
  test.each<[string, Record<string, Plain>, string]>([
    ['order {orderId} accepted', { orderId: 7 }, 'order 7 accepted'],
    ['{a}{b}', { a: 'x y', b: true }, 'x ytrue'],
    ['{user.name} {items.1}', { user: { name: 'Ada' }, items: [1, 2] }, 'Ada 2'],
    ['{user.name}', { 'user.name': 'whole', user: { name: 'part' } }, 'whole'],
    ['{err.message}', { err: { $: 'error', name: 'E', message: 'broken' } }, 'broken'],
    ['{err}', { err: { $: 'error', name: 'E', message: 'broken' } }, 'E: broken'],
    ['{n} of {all}', { n: { $: 'bigint', v: '5' } }, '5n of {all}'],
    ['{$}', { $$: 1 }, '1'],
    ['{o}', { o: { a: 'b' } }, '{a: "b"}'],
    ['{{{a}}} {{b}}', { a: 1, b: 2 }, '{1} {b}'],
    ['{a}', { a: '{b}', b: 1 }, '{b}'],
    ['{a}', { a: '$& $1' }, '$& $1'],
    ['{a}', { a: null }, 'null'],
    ['{long}', { long: { $: 'cut', v: 'start', bytes: 9 } }, 'start…'],
  ])('%s with %j', (message, fields, text) => {
    expect(fillTemplate(message, fields)).toBe(text)
  })

  test('what the fields lack stays as it is', () => {
    for (const message of ['{missing}', '{a.b.c}', '{constructor}', '{__proto__}', '{}', '{ a }', '{', '}']) {
      expect(fillTemplate(message, { a: 1 })).toBe(message)
    }
  })

  test('a message in which nothing is filled in is shown as it was logged', () => {
    const logged = 'got {"a":{"b":{"c":1}}} and {{name}}'
    expect(fillTemplate(logged, { a: 1, name: 'x' })).toBe(logged)
    expect(fillTemplate('100%% {{sure}}', { args: ['unused'] })).toBe('100%% {{sure}}')
  })

  test('the error of the event is {err} and {error}, unless a field is', () => {
    const event = {
      seq: 0,
      time: 0,
      severity: 17,
      facility: '',
      error: { name: 'TypeError', message: 'bad', code: 'E' },
    }
    expect(messageText({ ...event, message: 'failed: {err}', fields: {} })).toBe('failed: TypeError [E]: bad')
    expect(messageText({ ...event, message: '{error.message} {err}', fields: { err: 7 } })).toBe('bad 7')
  })

  describe('positional arguments', () => {
    test.each<[string, Plain[]]>([
      ['n %s %d', ['x', 3]],
      ['%i %f %s%%', ['42.9', '1.5x', 'y']],
      ['%d %d', ['7', 'seven']],
      ['%j', [{ a: [1] }]],
      ['%s %s', ['only one']],
      ['%c[styled]', ['color: red']],
      ['%s', ['%s {x}']],
    ])('%s with %j is what util.format makes of it', (message, args) => {
      expect(fillTemplate(message, { args, x: 1 })).toBe(format(message, ...args))
    })

    test('are looked for only in a list of the field args', () => {
      expect(fillTemplate('95%d', {})).toBe('95%d')
      expect(fillTemplate('95%d', { args: 'x' })).toBe('95%d')
    })
  })

  test('adds a bounded amount', () => {
    const text = fillTemplate('{a}'.repeat(1000), { a: 'x'.repeat(10_000) })
    expect(text.length).toBeLessThan(70_000)
  })

  test('never throws, and never grows past its bound', () => {
    const messages = fc
      .array(fc.constantFrom('{', '}', 'a', '.', 'b', '%', 's', 'd', '%j', '{a}', '{b.a}', ' ', '$'))
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(messages, fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (message, a, b, args) => {
        const text = fillTemplate(message, { a, b, args } as Record<string, Plain>)
        expect(text.length).toBeLessThanOrEqual(message.length + 66_000)
      }),
    )
  })
})
