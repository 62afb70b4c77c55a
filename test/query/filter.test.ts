import fc from 'fast-check'
import { FlogError } from '../../src/base/errors'
import type { LogEvent } from '../../src/event/event'
import { type FilterContext, parseFilter, quoteText } from '../../src/query/filter'
import { anyText } from '../any-text'

const TRIGGER_TIME = Date.UTC(2026, 10, 21, 20, 31, 5) * 1000

const EVENT: LogEvent = {
  seq: 17,
  time: TRIGGER_TIME - 2_000_000,
  severity: 14,
  message: 'order {orderId} of {user.name} took {wait} ms',
  facility: 'db.pool',
  fields: {
    orderId: 4711,
    wait: 1500,
    ok: true,
    none: null,
    status: '503',
    path: '/Cart/items',
    requestId: 'req-7',
    tags: ['slow', 'paid'],
    user: { name: 'Ada Lovelace', id: 7 },
    'dotted.name': 'whole',
    big: { $: 'bigint', v: '12345678901234567890' },
    when: { $: 'date', v: '2026-11-21T20:31:05.000Z' },
    severity: 'mild',
    time: 99,
  },
  error: {
    name: 'QueryError',
    message: 'no answer',
    code: 'E_QUERY',
    cause: { $: 'error', name: 'TimeoutError', message: 'after 1000 ms', code: 'ETIMEDOUT' },
  },
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  parent: 12,
  thread: 2,
}

const BARE: LogEvent = {
  seq: 3,
  time: TRIGGER_TIME,
  severity: 9,
  message: 'started',
  facility: '',
  fields: {},
}
const CONTEXT: FilterContext = { triggerTime: TRIGGER_TIME, mark: 'further' }

function matches(text: string, event = EVENT, context = CONTEXT): boolean {
  return parseFilter(text).matches(event, context)
}

describe('a filter matches', () => {
  test.each([
    '',
    '  ',
    'order',
    'ORDER',
    '"order 4711 of Ada"',
    '{orderId}',
    'db.po',
    'lovelace',
    'timeouterror',
    'etimedout',
    '/^order \\d+ of/',
    '/ADA/i',
    '/cart/items',
    'severity:warn',
    'severity:WARN2',
    'severity=14',
    'severity>=warn',
    'severity<=warn',
    'severity<error',
    'severity>info',
    'severity!=info',
    'facility:db',
    'facility:db.pool',
    'facility=db.pool',
    'facility~po+l$',
    'facility!=db',
    'trace:4BF92F3577B34DA6A3CE929D0E0E4736',
    'trace:4bf92f35',
    'trace:4BF92F3577',
    'trace!=4bf92f35',
    'span:00f067aa0ba902b7',
    'request:req-7',
    'seq:17',
    'seq:1,17',
    'seq:1..3,15..20',
    'seq>=17',
    'thread:2',
    'parent:12',
    'is:further',
    'has:user.id',
    'has:error',
    'has:trace',
    'has:none',
    'error:timeout',
    'error:E_QUERY',
    'error=QueryError',
    'error!=RangeError',
    'error~"^after 1\\d+"',
    'error.code=E_QUERY',
    'err.cause.name=TimeoutError',
    'message:took',
    'message="order {orderId} of {user.name} took {wait} ms"',
    'message="order 4711 of Ada Lovelace took 1500 ms"',
    'orderId=4711',
    'orderId=4711.0',
    'orderId!=4712',
    'wait>1000',
    'wait<=1500',
    'status>=500',
    'big>1e18',
    'big=12345678901234567890',
    'ok=true',
    'none=null',
    'path:cart',
    'path~^/Cart',
    'path~/^.cart/i',
    'tags=paid',
    'tags:SLO',
    'user.name="Ada Lovelace"',
    'user.id<8',
    'dotted.name=whole',
    '"dotted.name"=whole',
    'when:2026-11-21',
    'fields.severity=mild',
    'fields.time>5',
    '"time">5',
    'after:-2s',
    'after:-2000ms',
    'before:0',
    'before:+1m',
    'time>=-2s time<=-2',
    'after:2026-11-21T20:31:03Z',
    'before:2026-11-21T20:31:03.000001Z',
    'nothing OR order',
    'order AND ada',
    '-nothing',
    '!nothing',
    'NOT nothing',
    '--order',
    '-(nothing here)',
    '(order OR nothing) (nothing OR ada)',
    '(((order)))',
    'nothing here OR order ada',
    '-severity:info -tags=free',
  ])('%s', (text) => {
    expect(matches(text)).toBe(true)
  })
})

describe('a filter does not match', () => {
  test.each([
    'nothing',
    '"ada order"',
    '/ADA/',
    'severity:info',
    'severity:13',
    'severity>warn',
    'severity<warn',
    'severity!=warn',
    'facility:db.po',
    'facility:pool',
    'facility=db',
    'trace:4bf9',
    'trace:4bf92f3',
    'trace:b34da6a3',
    'trace=4bf92f35',
    'trace!=4bf92f3577b34da6a3ce929d0e0e4736',
    'request:req',
    'request!=req-7',
    'seq:1',
    'seq:1,2,18..20',
    'is:trigger',
    'has:users',
    'has:user.age',
    'error:RangeError',
    'error=Timeout',
    'message:ada-',
    'orderId=47',
    'orderId!=4711',
    'missing=1',
    'missing!=1',
    'missing>1',
    'user>1',
    'user=Ada',
    'tags!=paid',
    'path=/cart/items',
    'before:-2s',
    'after:-1s',
    'order nothing',
    'nothing OR nobody',
    '-order',
    'order -ada',
  ])('%s', (text) => {
    expect(matches(text)).toBe(false)
  })
})

test('an event that has nothing has no field, id or error to match', () => {
  for (const key of ['trace', 'span', 'parent', 'request']) {
    expect(matches(`${key}:0`, BARE, {})).toBe(false)
    expect(matches(`${key}!=0`, BARE, {})).toBe(false)
  }
  expect(matches('thread:0', BARE, {})).toBe(true)
  expect(matches('error~. OR error!=x OR is:trigger OR is:further', BARE, {})).toBe(false)
})

test('without a trigger nothing is before or after it', () => {
  expect(matches('after:-1h', EVENT, {})).toBe(false)
  expect(matches('before:+1h', EVENT, {})).toBe(false)
  expect(matches('after:2026-01-01', EVENT, {})).toBe(true)
})

test('a date alone is midnight here, and a time without a zone is local', () => {
  const at = (year: number, month: number, day: number, hours = 0, minutes = 0): LogEvent => ({
    ...BARE,
    time: new Date(year, month, day, hours, minutes).getTime() * 1000,
  })
  expect(matches('after:2026-11-21 before:2026-11-22', at(2026, 10, 21), {})).toBe(true)
  expect(matches('before:2026-11-21', at(2026, 10, 21), {})).toBe(false)
  expect(matches('after:2026-11-21T20:31', at(2026, 10, 21, 20, 31), {})).toBe(true)
  expect(matches('before:2026-11-21T20:31', at(2026, 10, 21, 20, 30), {})).toBe(true)
})

test('terms are given as they were written', () => {
  const text = ' order  -"two words" (a OR b) wait>1000 '
  const filter = parseFilter(text)
  expect(filter.text).toBe(text)
  expect(filter.terms.map((term) => term.text)).toEqual(['order', '-"two words"', '(a OR b)', 'wait>1000'])
  expect(parseFilter('a b OR c').terms.map((term) => term.text)).toEqual(['a b OR c'])
  expect(parseFilter('').terms).toEqual([])
})

test('terms tell which of them excludes an event', () => {
  const { terms } = parseFilter('order severity:info wait>1000')
  expect(terms.map((term) => term.matches(EVENT, CONTEXT))).toEqual([true, false, true])
})

describe('a filter that cannot be read says where and what belongs there', () => {
  test.each([
    ['order "two', 10, 'a quote that closes the one at character 7'],
    ['(order', 6, 'a ) for the ( at character 1'],
    ['order)', 5, 'no ) without a ( before it'],
    ['a OR', 4, 'a term: a word'],
    ['OR a', 0, 'a term: a word'],
    ['()', 1, 'a term: a word'],
    ['wait>', 5, 'a value after wait>'],
    ['wait>long', 5, 'a number after wait>, not long'],
    ['severity:loud', 9, 'a severity: trace, debug'],
    ['severity:25', 9, 'a severity: trace, debug'],
    ['severity~warn', 8, ': = != < <= > >= after severity (for a field of that name, write fields.severity)'],
    ['is:that', 3, 'trigger or further after is:'],
    ['seq:many', 4, 'a number after seq:'],
    ['after:lunch', 6, 'a time: -12s'],
    ['after=1s', 5, ': after after'],
    ['time:1s', 4, '< <= > >= after time'],
    ['/(/', 0, 'a regular expression ('],
    ['path~[', 5, 'a regular expression ('],
    ['('.repeat(200), 100, 'no more than 100 parentheses in each other'],
    ['x'.repeat(70_000), 65_536, 'at most 65536 characters'],
  ])('%#', (text, position, expected) => {
    expect(errorOf(text)).toMatchObject({
      code: 'FLOG_FILTER_INVALID',
      message: expect.stringContaining(`at character ${position + 1}: expected ${expected}`),
      details: { position, expected: expect.stringContaining(expected) },
    })
  })
})

describe('what looks like the grammar and is none is a text', () => {
  test.each([
    ['20:31:05', 'at 20:31:05 sharp'],
    ['10.0.0.1:8080', 'from 10.0.0.1:8080'],
    ['https://a.example/x?y=1', 'GET https://a.example/x?y=1'],
    ['/api/users/7', 'GET /api/users/7'],
    ['=>', 'a => b'],
    ['-', 'a - b'],
    ['fn(x)', 'called fn(x)'],
    ['or', 'this or that'],
    ['"OR"', 'this OR that'],
    ['"wait>"', 'wait>'],
    ['"say \\"hi\\" \\\\ \\n"', 'say "hi" \\ \\n'],
  ])('%s', (text, message) => {
    expect(matches(text, { ...BARE, message })).toBe(true)
    expect(matches(text, BARE)).toBe(false)
  })
})

const PIECES = [
  ...[
    'order',
    'severity',
    'time',
    'seq',
    'has',
    'is',
    'after',
    ':',
    '=',
    '!=',
    '>=',
    '<',
    '~',
    '"',
    '\\',
    '/',
  ],
  ...[
    '(',
    ')',
    '-',
    '!',
    ' ',
    'OR',
    'AND',
    'NOT',
    '1',
    '..',
    ',',
    'warn',
    '-2s',
    'x.y',
    '[',
    '*',
    '+',
    '{',
    '\ud800',
  ],
]
const words = fc.oneof(
  fc.string({ maxLength: 60 }),
  anyText({ maxLength: 30 }),
  fc.array(fc.constantFrom(...PIECES), { maxLength: 25 }).map((pieces) => pieces.join('')),
)
const term = fc.constantFrom(
  ...[
    'order',
    'nothing',
    'severity:warn',
    'wait>2000',
    'has:user',
    '(a OR order)',
    '-tags=paid',
    '/^order/',
    'is:trigger',
  ],
)

test('any text is read, or refused with a position in it', () => {
  fc.assert(
    fc.property(words, (text) => {
      try {
        const filter = parseFilter(text)
        expect(typeof filter.matches(EVENT, CONTEXT)).toBe('boolean')
        expect(filter.matches(EVENT, CONTEXT)).toBe(filter.terms.every((one) => one.matches(EVENT, CONTEXT)))
      } catch (error) {
        if (!FlogError.is(error, 'FLOG_FILTER_INVALID')) throw error
        expect(error.details['position']).toBeGreaterThanOrEqual(0)
        expect(error.details['position']).toBeLessThanOrEqual(text.length)
      }
    }),
    { numRuns: 2000 },
  )
})

test('negated, a filter matches what it did not', () => {
  fc.assert(
    fc.property(fc.array(term, { minLength: 1, maxLength: 4 }), (terms) => {
      const text = terms.join(' ')
      expect(matches(`-(${text})`)).toBe(!matches(text))
      expect(matches(`!(${text})`)).toBe(!matches(text))
    }),
  )
})

test('the order of terms beside each other, and of alternatives, means nothing', () => {
  fc.assert(
    fc.property(fc.array(term, { minLength: 2, maxLength: 5 }), (terms) => {
      const reversed = [...terms].reverse()
      expect(matches(reversed.join(' '))).toBe(matches(terms.join(' ')))
      expect(matches(reversed.join(' AND '))).toBe(matches(terms.join(' ')))
      expect(matches(reversed.join(' OR '))).toBe(matches(terms.join(' OR ')))
      expect(matches(terms.join(' '))).toBe(terms.every((one) => matches(one)))
      expect(matches(terms.join(' OR '))).toBe(terms.some((one) => matches(one)))
    }),
  )
})

test('a quoted text is found, by itself and as the value of a field', () => {
  fc.assert(
    fc.property(fc.oneof(words, fc.constantFrom('OR', 'a:b', '-x', '7')), (text) => {
      const event = { ...BARE, message: 'x', fields: { f: text } }
      expect(matches(quoteText(text), event)).toBe(true)
      expect(matches(`f=${quoteText(text)}`, event)).toBe(true)
      expect(matches(`f=${quoteText(`${text}!`)}`, event)).toBe(false)
    }),
  )
})

function errorOf(text: string): unknown {
  try {
    return parseFilter(text)
  } catch (error) {
    return error
  }
}
