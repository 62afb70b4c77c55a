import { FlogError } from '../../../src/base/errors'
import { DEFAULT_REDACTED_NAMES } from '../../../src/base/secret-names'
import { Kernel } from '../../../src/collector/kernel/kernel'
import { SERIES } from '../../../src/collector/kernel/metrics'
import { Plainer } from '../../../src/collector/kernel/plain'
import { KeepingSink, newRig, parsedLines, turns } from './rig'

test('1. an error is written to stderr once and forwarded once', async () => {
  const rig = newRig()
  rig.kernel.report({ part: 'indexer', error: new Error('no such table') })
  await turns()
  expect(parsedLines(rig)).toMatchObject([{ part: 'indexer', level: 'error', message: 'no such table' }])
  expect(rig.central.rows).toMatchObject([
    { node: 'one', part: 'indexer', message: 'no such table', repeat: 1 },
  ])
  expect(rig.metrics.value('kernel_forwarded_total')).toBe(1)
})

test('2. an info increments the counter of infos only, and is visible at level info', () => {
  const rig = newRig({ level: 'info' })
  rig.kernel.report({ part: 'store', kind: 'info', error: 'migrated to 4' })
  expect(parsedLines(rig)).toMatchObject([{ kind: 'info', level: 'info', message: 'migrated to 4' }])
  expect(rig.metrics.value('kernel_errors_total', { kind: 'info' })).toBe(1)
  expect(rig.metrics.value('kernel_errors_total')).toBe(1)
})

test.each([
  ['debug', ['debug', 'info', 'warning', 'error']],
  ['info', ['info', 'warning', 'error']],
  ['warning', ['warning', 'error']],
  ['error', ['error']],
  ['none', []],
] as const)('3. at level %s this much is visible: %j', (level, visible) => {
  const rig = newRig({ level })
  for (const reported of ['debug', 'info', 'warning', 'error'] as const) {
    rig.kernel.report({ part: 'p', level: reported, error: new Error(`of level ${reported}`) })
  }
  expect(parsedLines(rig).map((line) => line.level)).toEqual(visible)
})

test('4. level none prints nothing and forwards all the same; forwarding has a level of its own', async () => {
  const rig = newRig({ level: 'none', forwardLevel: 'warning' })
  rig.kernel.report({ part: 'p', error: new Error('heard elsewhere') })
  rig.kernel.report({ part: 'p', kind: 'info', error: 'heard nowhere' })
  await turns()
  expect(rig.lines).toEqual([])
  expect(rig.central.rows.map(({ message }) => message)).toEqual(['heard elsewhere'])
})

test('5. an invalid level is refused at construction, and names what there is', () => {
  expect(() => new Kernel({ node: 'one', level: 'loud' as 'error' })).toThrow(
    'option level takes one of debug, info, warning, error, none, got "loud"',
  )
  expect(() => new Kernel({ node: '' })).toThrow(FlogError)
  expect(() => new Kernel({ node: 'one', intesity: 3 } as never)).toThrow('did you mean intensity?')
})

test.each(['json', 'text'] as const)(
  '6. without timestamps time is gone from %s lines, not from central rows',
  async (format) => {
    const rig = newRig({ timestamps: false, format })
    const error = new Error('late')
    delete error.stack
    rig.kernel.report({ part: 'p', error })
    await turns()
    expect(rig.lines[0]).toContain('late')
    expect(rig.lines[0]).not.toContain('1970')
    expect(rig.central.rows[0]?.time).toBe('1970-01-01T00:00:01.000000Z')
  },
)

test('16. what is reported after the stop goes to the last resort, whatever the level', async () => {
  const rig = newRig({ level: 'none' })
  await rig.kernel.stop({ flushMs: 10 })
  rig.kernel.report({ part: 'late', error: new Error('nobody is there') })
  expect(parsedLines(rig)).toMatchObject([{ part: 'late', message: 'nobody is there' }])
  expect(rig.central.rows).toEqual([])
})

test('21. a message with line ends and ANSI codes is one escaped line, in both formats', () => {
  const hostile = 'first\nsecond \u001b[31mred\u001b[0m \u009b2J \u202eesrever\r'
  for (const format of ['json', 'text'] as const) {
    const rig = newRig({ format })
    rig.kernel.report({ part: 'p\n', error: new Error(hostile) })
    expect(rig.lines).toHaveLength(1)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(rig.lines[0]).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
    expect(rig.lines[0]).toContain('second')
  }
})

test('22. an event with circular, huge and secret fields is capped and redacted', async () => {
  const rig = newRig()
  const error = Object.assign(new Error('postgres://flog:hunter2@db/x refused'), {
    dbPassword: 'hunter2',
    rows: Array.from({ length: 10_000 }, (_, i) => `row ${i} ${'x'.repeat(1000)}`),
    self: undefined as unknown,
  })
  error.self = error
  Object.defineProperty(error, 'broken', {
    enumerable: true,
    get: () => {
      throw new Error('a getter')
    },
  })
  const work = {
    headers: { Authorization: 'Bearer hunter2' },
    body: 'y'.repeat(1e7),
    list: new Map([['api_key', 'hunter2']]),
  }
  rig.kernel.report({ part: 'p', error, work })
  await turns()
  const row = JSON.stringify(rig.central.rows[0])
  expect(row.length).toBeLessThan(40_000)
  expect(row).not.toContain('hunter2')
  expect(rig.central.rows[0]).toMatchObject({
    message: 'postgres://flog:[redacted]@db/x refused',
    error: { self: '[circular]', dbPassword: '[redacted]', broken: '[unreadable]' },
    work: { headers: { Authorization: '[redacted]' } },
  })
  expect(rig.lines[0]).not.toContain('hunter2')
})

test('22. the names that are taken out are those of the recorder', () => {
  const plainer = new Plainer()
  for (const name of DEFAULT_REDACTED_NAMES)
    expect(plainer.value({ [`db_${name}`]: 'hunter2' })).toEqual({ [`db_${name}`]: '[redacted]' })
})

test('23. events of one part keep their order while another one of it waits for a decision', async () => {
  let decide: () => void = () => {}
  const decided = new Promise<undefined>((resolve) => {
    decide = () => resolve(undefined)
  })
  const sink = new KeepingSink()
  const rig = newRig({ policies: [(event) => (event.message === 'asked' ? decided : undefined)] }, [sink])
  rig.kernel.report({ part: 'a', error: new Error('before') })
  const answer = rig.kernel.ask({ part: 'a', error: new Error('asked') })
  rig.kernel.report({ part: 'a', error: new Error('after') })
  rig.kernel.report({ part: 'b', error: new Error('other') })
  await turns()
  expect(sink.events.map(({ message }) => message)).toEqual(['before', 'other'])
  expect(parsedLines(rig).map(({ message }) => message)).toEqual(['before', 'asked', 'after', 'other'])
  decide()
  await answer
  await turns()
  const expected = ['before', 'other', 'asked', 'after']
  expect(sink.events.map(({ message }) => message)).toEqual(expected)
  expect(rig.central.rows.map(({ message }) => message)).toEqual(expected)
})

test('25. whatever is thrown is accepted', async () => {
  const rig = newRig()
  const hostile = new Proxy(
    {},
    {
      get() {
        throw new Error('no')
      },
      ownKeys() {
        throw new Error('no')
      },
      getPrototypeOf() {
        throw new Error('no')
      },
    },
  )
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  const thrown = [
    null,
    undefined,
    0,
    'text',
    Symbol('s'),
    10n,
    () => 1,
    {},
    [],
    hostile,
    revoked.proxy,
    new Date(Number.NaN),
  ]
  for (const [index, error] of thrown.entries()) rig.kernel.report({ part: `p${'x'.repeat(index)}`, error })
  rig.kernel.report(undefined as never)
  rig.kernel.report({} as never)
  await turns()
  expect(rig.lines).toHaveLength(thrown.length + 2)
  expect(
    parsedLines(rig)
      .slice(0, 4)
      .map(({ message }) => message),
  ).toEqual(['null', 'undefined', '0', 'text'])
  expect(rig.central.rows).toHaveLength(thrown.length + 2)
})

test('28. metrics have the names of the specification, and a fingerprint is never a label', async () => {
  const rig = newRig()
  rig.kernel.report({ part: 'p', error: new Error('one') })
  await rig.kernel.ask({ part: 'p', level: 'warning', error: new Error('two') })
  await turns()
  expect(Object.keys(SERIES)).toEqual([
    'kernel_errors_total',
    'kernel_forwarded_total',
    'kernel_forward_dropped_total',
    'kernel_received_total',
    'kernel_decision_total',
    'kernel_forward_queue',
  ])
  expect(Object.values(SERIES).flatMap(({ labels }) => labels)).toEqual([
    'part',
    'level',
    'kind',
    'action',
    'source',
  ])
  const text = rig.metrics.text()
  expect(text).toContain(
    '# TYPE kernel_errors_total counter\nkernel_errors_total{part="p",level="error",kind="error"} 1\n',
  )
  expect(text).toContain('kernel_decision_total{action="continue",source="default"} 1\n')
  expect(text).toContain('kernel_forward_queue 0\n')
  for (const { fingerprint } of rig.kernel.state()) expect(text).not.toContain(fingerprint)
})

test('28. parts beyond a thousand share one series', () => {
  const rig = newRig({ level: 'none', queue: 2000 })
  for (let i = 0; i < 1100; i++) rig.kernel.report({ part: `part-${i}`, error: 'x' })
  expect(rig.metrics.text().match(/^kernel_errors_total/gm)).toHaveLength(1001)
  expect(rig.metrics.value('kernel_errors_total', { part: 'other' })).toBe(100)
})
