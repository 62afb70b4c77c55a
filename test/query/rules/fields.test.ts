import fc from 'fast-check'
import type { Plain } from '../../../src/event/event'
import { parseFilter } from '../../../src/query/filter'
import { fieldFilter } from '../../../src/query/rules/fields'
import { anyText } from '../../any-text'
import { eventAt } from './recordings'

function holds(name: string, wanted: unknown, value: Plain): boolean {
  const text = fieldFilter(name, wanted)
  return parseFilter(text ?? '').matches(eventAt(0, 'm', { fields: { [name]: value } }))
}

test.each<[unknown, Plain, boolean]>([
  ['x', 'x', true],
  ['x', 'X', false],
  [7, 7, true],
  [7, 8, false],
  [true, true, true],
  [true, false, false],
  [null, null, true],
  [['a', 7], 7, true],
  [['a', 7], 'b', false],
  ['/^a.c$/', 'abc', true],
  ['/^A/i', 'abc', true],
  ['/path/', '/path/x', true],
  ['a "b" \\ c', 'a "b" \\ c', true],
])('%j of %j: %j', (wanted, value, expected) => expect(holds('name', wanted, value)).toBe(expected))

test.each([[{}], [[]], [['a', {}]], [undefined]])('%j is no value', (wanted) => {
  expect(fieldFilter('name', wanted)).toBeUndefined()
})

test('any name, and any text that is not between slashes, are taken as they are', () => {
  const text = anyText({ minLength: 1 })
  const name = text.filter((each) => !each.includes('.') && !/^\$+$/.test(each))
  const value = text.filter((each) => !/^\//.test(each))
  fc.assert(
    fc.property(name, value, value, (field, wanted, other) => {
      expect(holds(field, wanted, wanted)).toBe(true)
      expect(holds(field, wanted, `${wanted}${other}`)).toBe(false)
    }),
  )
})
