import fc from 'fast-check'
import { logfmtTarget } from '../../../../tools/flog/export/logfmt'
import { anyText } from '../../../any-text'
import { event, expectHarmless, HOSTILE, written } from './events'

/** Pairs as the `logfmt` of other tools has them: bare values, or JSON texts. */
function parse(line: string): Map<string, string> {
  const pairs = new Map<string, string>()
  let rest = line
  while (rest !== '') {
    const match = /^([^\s="]+)=("(?:[^"\\]|\\.)*"|[^\s"=]*)(?: |$)/.exec(rest)
    if (match === null) throw new Error(`no logfmt: ${rest.slice(0, 80)}`)
    const value = match[2] ?? ''
    pairs.set(match[1] ?? '', value.startsWith('"') ? (JSON.parse(value) as string) : value)
    rest = rest.slice(match[0].length)
  }
  return pairs
}

test('message, facility and values come back as they were', async () => {
  const text = anyText()
  await fc.assert(
    fc.asyncProperty(text, text, text, async (message, facility, value) => {
      const literal = { message, facility, fields: { value } }
      const line = await written(logfmtTarget, [{ event: event(literal) }])
      expect(line.match(/\n/g)).toHaveLength(1)
      const pairs = parse(line.trimEnd())
      if (!/[{%]/.test(message)) expect(pairs.get('msg')).toBe(message)
      expect(pairs.get('facility') ?? '').toBe(facility)
      expect(pairs.get('value')).toBe(value)
    }),
  )
})

test('fields do not pass for what is the event’s own', async () => {
  const fields = { level: 'fatal', 'a b': 1, time: 0, nested: { x: [1] } }
  const pairs = parse((await written(logfmtTarget, [{ event: event({ fields }) }])).trimEnd())
  expect(Object.fromEntries(pairs)).toMatchObject({
    level: 'info',
    'fields.level': 'fatal',
    'fields.time': '0',
    a_b: '1',
    nested: '{"x":[1]}',
  })
})

test('nothing logged acts on a terminal', async () => {
  const fields = { [HOSTILE]: HOSTILE, list: [HOSTILE] }
  const error = { name: HOSTILE, message: HOSTILE, stack: HOSTILE }
  expectHarmless(
    await written(logfmtTarget, [{ event: event({ message: HOSTILE, facility: HOSTILE, fields, error }) }]),
  )
})
