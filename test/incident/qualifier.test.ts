import type { LogEvent } from '../../src/event/event'
import { eventText, IncidentQualifier, qualified, toQualifier } from '../../src/incident/qualifier'
import { severityAtLeast } from '../../src/incident/qualifiers/severity'
import { eventOf } from './qualifiers/events'

describe('a qualifier of one’s own', () => {
  test('may be a subclass', () => {
    class LateOrders extends IncidentQualifier {
      override readonly minimumSeverity = 9

      qualifies(event: LogEvent) {
        return event.message.startsWith('late') && { reason: 'an order was late', fingerprint: 'late' }
      }
    }
    const qualifier = toQualifier('qualifier', new LateOrders())
    expect(qualifier.minimumSeverity).toBe(9)
    expect(qualifier.qualifies(eventOf('info', { message: 'late again' }))).toEqual({
      reason: 'an order was late',
      fingerprint: 'late',
    })
  })

  test('may promise its minimum severity by a getter', () => {
    const Plain = IncidentQualifier as unknown as new () => object
    class FromJavaScript extends Plain {
      get minimumSeverity() {
        return 13
      }
      qualifies() {
        return true
      }
    }
    expect(toQualifier('qualifier', new FromJavaScript()).minimumSeverity).toBe(13)
  })

  test('may be a function, which promises nothing', () => {
    const qualifier = toQualifier('qualifier', (event: LogEvent) => event.severity === 9)
    expect(qualifier.minimumSeverity).toBeUndefined()
    expect([qualifier.qualifies(eventOf('info')), qualifier.qualifies(eventOf('fatal'))]).toEqual([
      true,
      false,
    ])
  })

  test('may be an object', () => {
    const object = { qualifies: () => true }
    expect(toQualifier('qualifier', object)).toBe(object)
    const builtIn = severityAtLeast('warn')
    expect(toQualifier('qualifier', builtIn)).toBe(builtIn)
  })

  test.each([undefined, null, 'error', 17, {}, { qualifies: true }, []])('is not %p', (given) => {
    expect(() => toQualifier('qualifier', given)).toThrow(
      'option qualifier takes a qualifier such as severityAtLeast',
    )
  })

  test('must promise a severity that there is', () => {
    const given = { qualifies: () => true, minimumSeverity: 'error' }
    expect(() => toQualifier('qualifier', given)).toThrow('option qualifier.minimumSeverity')
  })
})

describe('qualified', () => {
  const event = eventOf('error2', { facility: 'db.pool' })

  test('gives a bare true a reason', () => {
    expect(qualified(true, event)).toEqual({ reason: 'error event of db.pool' })
    expect(eventText(eventOf('warn'))).toBe('warn event')
  })

  test('keeps a reason, and takes anything else for no', () => {
    const reason = { reason: 'because' }
    expect(qualified(reason, event)).toBe(reason)
    expect(qualified(false, event)).toBeUndefined()
    expect(qualified(undefined as unknown as boolean, event)).toBeUndefined()
    expect(qualified(null as unknown as boolean, event)).toBeUndefined()
  })
})
