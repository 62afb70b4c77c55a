import { hasTerm, readFilter, withoutTerms, withTerm } from '../../../src/viewer/page/terms'

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
  expect(hasTerm(filter, (term) => term === 'trace:17')).toBe(true)
  expect(withoutTerms(filter, (term) => term.startsWith('trace:'))).toBe('a (b OR c)')
})

test('a line that is no filter says why', () => {
  expect(readFilter('severity:')).toMatchObject({
    kind: 'wrong',
    message: expect.stringContaining('severity'),
  })
  expect(readFilter('  ')).toEqual({ kind: 'none' })
})
