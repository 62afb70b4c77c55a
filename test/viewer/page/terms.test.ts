import { isOfTrace, readFilter, traceToggled, withoutTerms, withTerm } from '../../../src/viewer/page/terms'

test.each([
  ['', 'severity:warn', 'severity:warn'],
  ['a b', 'c=1', 'a b c=1'],
  ['a c=1', 'c=1', 'a c=1'],
  ['a OR b', 'c=1', '(a OR b) c=1'],
  ['severity:', 'c=1', 'c=1'],
])('%j and %j give %j', (filter, term, expected) => {
  expect(withTerm(filter, term)).toBe(expected)
})

test('a term is taken out again', () => {
  const filter = 'a trace:17 (b OR c)'
  expect(isOfTrace(filter)).toBe(true)
  expect(isOfTrace('a message:trace')).toBe(false)
  expect(traceToggled(filter, '18')).toBe('a (b OR c)')
  expect(traceToggled('a', '18')).toBe('a trace:18')
  expect(traceToggled('a', undefined)).toBe('a')
  expect(withoutTerms(filter, (term) => term.startsWith('trace:'))).toBe('a (b OR c)')
})

test('a line that is no filter says why', () => {
  expect(readFilter('severity:')).toMatchObject({
    kind: 'wrong',
    message: expect.stringContaining('severity'),
  })
  expect(readFilter('  ')).toEqual({ kind: 'none' })
})
