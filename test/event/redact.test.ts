import { DEFAULT_REDACTED_NAMES, REDACTED } from '../../src/base/secret-names'
import { REDACTION_FAILED, Redactor } from '../../src/event/redact'

describe('redacted names', () => {
  test.each(DEFAULT_REDACTED_NAMES)(
    'by default: %s, in any case and spelling, and at the end of a name',
    (name) => {
      const redactor = new Redactor()
      for (const spelling of [name, name.toUpperCase(), `db_${name}`, `db-${name}`, [...name].join('-')]) {
        expect(redactor.takesName(spelling)).toBe(true)
      }
    },
  )

  test.each(['passwordless', 'tokens', 'secretary', 'cookies2', 'author', 'key', ''])(
    'not by default: %s',
    (name) => {
      expect(new Redactor().takesName(name)).toBe(false)
    },
  )

  test('are added to the default ones, whole', () => {
    const redactor = new Redactor(['tax-id'])
    expect(['taxId', 'TAX_ID', 'tax id', 'password'].map((name) => redactor.takesName(name))).toEqual([
      true,
      true,
      true,
      true,
    ])
    expect(redactor.takesName('user.taxId')).toBe(false)
  })

  test('can do without the default ones', () => {
    const redactor = new Redactor({ defaults: false, also: ['mine'] })
    expect([redactor.takesName('password'), redactor.takesName('Mine')]).toEqual([false, true])
  })
})

describe('redacted paths', () => {
  test('are compared in any case, with and without the indices of arrays', () => {
    const redactor = new Redactor(['User.cards.number', 'items.3'])
    const paths = ['user.cards.number', 'USER.CARDS.0.NUMBER', 'user.cards.12.number', 'items.3']
    expect(paths.map((path) => redactor.takesPath(path))).toEqual([true, true, true, true])
    expect(
      ['user.cards', 'cards.number', 'items.4', 'items'].map((path) => redactor.takesPath(path)),
    ).not.toContain(true)
  })

  test("below err are those of the event's error", () => {
    expect(new Redactor(['err.config.auth']).takesPath('error.config.auth')).toBe(true)
  })
})

describe('redacted texts', () => {
  test('that a pattern cannot be matched against are not kept', () => {
    // 40 MB of backtracking are more than the engine's stack holds.
    expect(new Redactor([/^(?:a|b)*c/]).text('ab'.repeat(2e7))).toBe(REDACTION_FAILED)
  })

  test('keep the pattern that was given as it was', () => {
    const pattern = /a/gy
    pattern.lastIndex = 3
    expect(new Redactor([pattern]).text('aXa')).toBe(`${REDACTED}X${REDACTED}`)
    expect(pattern.lastIndex).toBe(3)
  })
})

describe('redaction functions', () => {
  test('each see what the one before left', () => {
    const redactor = new Redactor([(_, value) => `${value}1`, (key, value) => `${key}${value}2`])
    expect(redactor.value('k', 'v')).toBe('kv12')
  })

  test('that throw leave nothing', () => {
    const throws = (): never => {
      throw new Error('no')
    }
    expect(new Redactor([throws, (_, value) => value]).value('k', 'v')).toBe(REDACTION_FAILED)
  })
})

test('a redactor says what it needs to see', () => {
  expect(new Redactor()).toMatchObject({
    hasFunctions: false,
    hasPaths: false,
    searchesAll: false,
    seesValues: false,
  })
  expect(new Redactor(['a.b'])).toMatchObject({ hasPaths: true, seesValues: true })
  expect(new Redactor([() => 1])).toMatchObject({ hasFunctions: true, seesValues: true })
  expect(new Redactor([/a/])).toMatchObject({ searchesAll: true, seesValues: false })
})

test.each([[7], [''], [null], [{}]])('what cannot be redacted is refused: %p', (entry) => {
  expect(() => new Redactor([entry as never])).toThrow(
    expect.objectContaining({
      code: 'FLOG_OPTION_INVALID',
      message: expect.stringContaining('option redact takes'),
    }),
  )
})
