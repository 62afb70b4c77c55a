import fc from 'fast-check'
import { Literals } from '../../../src/query/scrub/literals'

function without(text: string, ...values: string[]): string {
  const literals = new Literals()
  for (const value of values) literals.add(value)
  return literals.without(text)
}

test.each<[string, string[], string]>([
  ['login of hunter2', ['hunter2'], 'login of [redacted]'],
  ['hunter2,hunter22 hunter2', ['hunter2'], '[redacted],hunter22 [redacted]'],
  ['hunter2 hunter2-long', ['hunter2', 'hunter2-long'], '[redacted] [redacted]'],
  ['_hunter2_', ['hunter2'], '_[redacted]_'],
  ['éhunter2', ['hunter2'], 'éhunter2'],
  ['a--b--c', ['--b-'], 'a[redacted]-c'],
  ['abc', ['abc'], 'abc'],
  ['[redacted]', ['[redacted]'], '[redacted]'],
])('of %j without %j is left %j', (text, values, left) => {
  expect(without(text, ...values)).toBe(left)
})

test('no value is left where it stands by itself', () => {
  const value = fc.string({ minLength: 4, maxLength: 12 }).filter((text) => text.trim() === text)
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 5 }), (values) => {
      const left = without(values.join('  '), ...values)
      expect(left.replaceAll('[redacted]', '').trim().length).toBeLessThan(values.join('').length)
      for (const one of values) expect(without(one, ...values)).toBe('[redacted]')
    }),
  )
})

test('very many values with one beginning take no long time', () => {
  const values = Array.from({ length: 50_000 }, (_, index) => `user-${index}`)
  expect(without(values.join(' '), ...values)).toBe(values.map(() => '[redacted]').join(' '))
})

test('of more values than are remembered it is told how many are not', () => {
  const literals = new Literals()
  for (let index = 0; index < 100_003; index++) literals.add(`user-${index}`)
  expect(literals.forgotten).toBe(3)
  expect(literals.without('of user-7 and user-100002')).toBe('of [redacted] and user-100002')
})
