import { ERROR_CODES, FlogError, invalidOption, messageOf, systemCode } from '../../src/base/errors'

describe('an error of flog', () => {
  test('has a code, a message, details and a cause', () => {
    const cause = new Error('disk')
    const error = new FlogError('FLOG_WRITE_FAILED', 'the incident could not be written', {
      cause,
      details: { path: 'p' },
    })
    expect(error).toMatchObject({
      name: 'FlogError',
      code: 'FLOG_WRITE_FAILED',
      details: { path: 'p' },
      cause,
    })
    expect(new FlogError('FLOG_CLOSED', 'm')).not.toHaveProperty('cause')
  })

  test('is known by its brand, also that of another copy of the package', () => {
    const other = Object.assign(new Error('m'), {
      code: 'FLOG_CLOSED',
      [Symbol.for('flight-log.error')]: true,
    })
    expect([
      FlogError.is(other),
      FlogError.is(other, 'FLOG_CLOSED'),
      FlogError.is(other, 'FLOG_ABORTED'),
    ]).toEqual([true, true, false])
    for (const value of [undefined, null, 'FLOG_CLOSED', new Error('m'), { code: 'FLOG_CLOSED' }]) {
      expect(FlogError.is(value)).toBe(false)
    }
  })

  test('shows its brand to nobody who looks at its properties', () => {
    expect(Object.keys(new FlogError('FLOG_CLOSED', 'm'))).toEqual(
      expect.not.arrayContaining([expect.stringContaining('flight')]),
    )
  })
})

test('every code says what happened, lower-case and without a full stop', () => {
  for (const [code, meaning] of Object.entries(ERROR_CODES)) {
    expect(code).toMatch(/^FLOG_[A-Z_]+$/)
    expect(meaning).toMatch(/^[a-z].*[^.]$/)
  }
})

test.each<[unknown, string]>([
  ['text', '"text"'],
  ['x'.repeat(100), `"${'x'.repeat(60)}…"`],
  [7, '7'],
  [undefined, 'undefined'],
  [null, 'null'],
  [[1], 'an array'],
  [{}, 'a value of type object'],
  [() => 1, 'a value of type function'],
  [1n, 'a value of type bigint'],
  [Symbol('s'), 'a value of type symbol'],
])('an option that got %p names what it takes and what it got', (got, shown) => {
  const error = invalidOption('rings.debug', 'a size', got)
  expect(error.message).toBe(`option rings.debug takes a size, got ${shown}`)
  expect(error.details).toEqual({ option: 'rings.debug', expected: 'a size' })
})

test('the message of anything that was thrown can be told', () => {
  const hostile = {
    toString: () => {
      throw new Error('no')
    },
  }
  expect([new Error('m'), 'text', undefined, 7, hostile].map(messageOf)).toEqual([
    'm',
    'text',
    'undefined',
    '7',
    'an error that cannot be shown',
  ])
})

test('the code of the operating system is found where there is one', () => {
  expect(systemCode(Object.assign(new Error('m'), { code: 'ENOSPC' }))).toBe('ENOSPC')
  for (const error of [null, 'ENOSPC', new Error('m'), { code: 7 }]) expect(systemCode(error)).toBeUndefined()
})
