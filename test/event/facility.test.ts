import fc from 'fast-check'
import { FacilityTable, facilityMatches, facilityName } from '../../src/event/facility'

test('a facility matches itself and what lies under it, on dots', () => {
  expect(facilityMatches('db', 'db')).toBe(true)
  expect(facilityMatches('db', 'db.pool')).toBe(true)
  expect(facilityMatches('db.pool', 'db.pool.lease')).toBe(true)
  expect(facilityMatches('', 'anything')).toBe(true)
  expect(facilityMatches('', '')).toBe(true)
  expect(facilityMatches('db', 'dbx')).toBe(false)
  expect(facilityMatches('db.pool', 'db')).toBe(false)
  expect(facilityMatches('db', '')).toBe(false)
})

test('any text is a facility, cut to 256 characters; nothing else is', () => {
  expect(facilityName('weird name / with .. dots')).toBe('weird name / with .. dots')
  expect(facilityName('x'.repeat(1000))).toHaveLength(256)
  expect([undefined, null, 7, {}, ['db']].map(facilityName)).toEqual(['', '', '', '', ''])
})

describe('FacilityTable', () => {
  const table = new FacilityTable([
    ['db', 1],
    ['db.pool', 2],
    ['http.access', 3],
  ])

  test('the longest prefix wins', () => {
    expect(
      ['db', 'db.query', 'db.pool', 'db.pool.lease.x', 'http.access'].map((name) => table.find(name)),
    ).toEqual([1, 1, 2, 2, 3])
    expect(['', 'http', 'dbx', 'x.db', 'constructor'].map((name) => table.find(name))).toEqual(
      Array(5).fill(undefined),
    )
  })

  test('the empty prefix is for all others', () => {
    const withRest = new FacilityTable([
      ['', 0],
      ['db', 1],
    ])
    expect(['', 'http', 'db.pool', 'dbx', '.', '..a'].map((name) => withRest.find(name))).toEqual([
      0, 0, 1, 0, 0, 0,
    ])
  })

  test('answers the same each time, however many names it is asked', () => {
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 3000; n++) expect(table.find(`db.made-up-${n}`)).toBe(1)
      expect(table.find('db.pool')).toBe(2)
    }
  })

  test('agrees with facilityMatches', () => {
    const name = fc
      .array(fc.constantFrom('a', 'b', '', 'ab'), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('.'))
    fc.assert(
      fc.property(fc.uniqueArray(name), name, (prefixes, facility) => {
        const longest = prefixes
          .filter((prefix) => facilityMatches(prefix, facility))
          .toSorted((a, b) => b.length - a.length)[0]
        expect(new FacilityTable(prefixes.map((prefix) => [prefix, prefix])).find(facility)).toBe(longest)
      }),
    )
  })
})
