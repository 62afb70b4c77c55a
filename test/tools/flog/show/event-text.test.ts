import type { LogEvent } from '../../../../src/event/event'
import { errorLines } from '../../../../tools/flog/show/error-text'
import { EventText } from '../../../../tools/flog/show/event-text'
import { createStyle } from '../../../../tools/flog/style'

const PLAIN = createStyle(false)

function event(given: Partial<LogEvent> = {}): LogEvent {
  return { seq: 1, time: 0, severity: 9, message: 'hello', facility: 'app', fields: {}, ...given }
}

function render(given: Partial<LogEvent>, mark?: 'trigger' | 'further'): string {
  return new EventText(PLAIN, () => 'TIME').render(event(given), mark)
}

describe('an event as text', () => {
  test('has time, severity, facility, message, and the fields that the message does not show', () => {
    expect(
      render({
        message: 'order {orderId} of {user.name}',
        fields: { orderId: 7, user: { name: 'Ann' }, ms: 12 },
      }),
    ).toBe('TIME info   app      order 7 of Ann  user={name: "Ann"} ms=12\n')
  })

  test('marks what began the incident, and later triggers', () => {
    expect(render({}, 'trigger')).toBe('TIME info   app      hello  ◀ TRIGGER\n')
    expect(render({}, 'further')).toBe('TIME info   app      hello  ◀ further trigger\n')
    expect(render({})).not.toContain('◀')
  })

  test('keeps the lines of a long message behind a rail, so that none looks like an event', () => {
    expect(render({ message: 'first\nTIME fatal app forged' })).toBe(
      'TIME info   app      first\n     │ TIME fatal app forged\n',
    )
  })

  test('makes hostile text safe wherever it stands', () => {
    const evil = '\u001b[2J\u202e'
    const text = render({
      message: `{evil} ${evil}`,
      facility: evil,
      fields: { evil, [evil]: evil },
      traceId: evil,
      error: { name: evil, message: evil, stack: evil, code: evil, fields: { [evil]: evil }, cause: evil },
    })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(text).not.toMatch(/[\u001b\u202e]/)
  })

  test('is aligned by the facilities that come next', () => {
    const text = new EventText(PLAIN, () => 'T')
    text.widen([event({ facility: 'http.server' })])
    expect(text.render(event())).toBe('T info   app         hello\n')
    expect(text.render(event({ facility: 'x'.repeat(40) }))).toContain(`${'x'.repeat(40)} hello`)
  })
})

describe('an error as lines', () => {
  test('has its stack, code, fields, and what caused it', () => {
    const cause = { $: 'error', name: 'Error', message: 'inner', stack: 'Error: inner\n    at g' }
    expect(
      errorLines({
        name: 'TypeError',
        message: 'x',
        stack: 'TypeError: x\n    at f',
        code: 'E',
        fields: { id: 7 },
        cause,
      }),
    ).toEqual(['TypeError: x', '    at f', '  code=E id=7', 'caused by: Error: inner', '    at g'])
  })

  test('without a stack has name and message', () => {
    expect(errorLines({ name: 'TypeError', message: 'x' })).toEqual(['TypeError: x'])
  })

  test('shows the errors of an AggregateError, and causes that are no errors', () => {
    const errors = [{ $: 'error', name: 'A', message: 'a' }, 'text']
    expect(errorLines({ name: 'AggregateError', message: 'm', errors, cause: { why: 1 } })).toEqual([
      'AggregateError: m',
      'one of: A: a',
      'one of: text',
      'caused by: {why: 1}',
    ])
  })

  test('says the message where the stack does not', () => {
    expect(errorLines({ name: 'Error', message: 'later', stack: 'Error: at first\n    at f' })[0]).toBe(
      'Error: later',
    )
  })

  test('does not follow causes for ever', () => {
    let error: Record<string, unknown> = { name: 'E', message: 'm' }
    for (let i = 0; i < 1000; i++) error = { name: 'E', message: 'm', cause: error }
    expect(errorLines(error as never).length).toBeLessThan(40)
  })
})
