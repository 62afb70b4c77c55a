import { createStyle, wantsColor } from '../../../tools/flog/style'

describe('colour', () => {
  test.each([
    ['a terminal', { choice: 'auto', env: {}, isTTY: true }, true],
    ['a pipe', { choice: 'auto', env: {}, isTTY: false }, false],
    ['a pipe in a build', { choice: 'auto', env: { CI: 'true' }, isTTY: false }, false],
    ['a dumb terminal', { choice: 'auto', env: { TERM: 'dumb' }, isTTY: true }, false],
    ['FORCE_COLOR in a pipe', { choice: 'auto', env: { FORCE_COLOR: '1' }, isTTY: false }, true],
    ['FORCE_COLOR=0 on a terminal', { choice: 'auto', env: { FORCE_COLOR: '0' }, isTTY: true }, false],
    [
      'NO_COLOR over FORCE_COLOR',
      { choice: 'auto', env: { NO_COLOR: '1', FORCE_COLOR: '1' }, isTTY: true },
      false,
    ],
    ['an empty NO_COLOR', { choice: 'auto', env: { NO_COLOR: '' }, isTTY: true }, true],
    ['--color=always over NO_COLOR', { choice: 'always', env: { NO_COLOR: '1' }, isTTY: false }, true],
    ['--color=never over a terminal', { choice: 'never', env: { FORCE_COLOR: '1' }, isTTY: true }, false],
  ] as const)('%s', (_, situation, wanted) => {
    expect(wantsColor(situation)).toBe(wanted)
  })

  test('without colour a style changes nothing', () => {
    const style = createStyle(false)
    expect([style.bold('x'), style.severity(17, 'x'), style.alarm('x')]).toEqual(['x', 'x', 'x'])
  })

  test('a severity outside the table has the colour of the nearest', () => {
    const style = createStyle(true)
    expect(style.severity(99, 'x')).toBe(style.severity(24, 'x'))
    expect(style.severity(0, 'x')).toBe(style.severity(1, 'x'))
  })
})
