import { FatalError, isMissing, MissingError } from '../../../src/collector/engine/errors'
import { installAll, validate } from '../../../src/collector/engine/install'
import { type Manifold, partRef, type StartContext } from '../../../src/collector/engine/part'
import { error, Probe, Rig, settle } from './rig'

const nothing: Manifold = { start: () => new Probe('nothing', []).worker() }
const withInputs = (...names: string[]): Manifold => ({ ...nothing, inputs: names.map((name) => ({ name })) })
const isText = (value: unknown): value is string => typeof value === 'string'

/** What a start sees of its inputs. */
async function seen<T>(
  rig: Rig,
  manifold: Partial<Manifold>,
  look: (context: StartContext) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const start = (context: StartContext) => {
      try {
        resolve(look(context))
      } catch (thrown) {
        reject(thrown)
      }
      return nothing.start(context)
    }
    rig.engine.install({ name: 'looker' }, { ...manifold, start })
    void rig.pass(10)
  })
}

test('1. three parts that are installed together start once each', async () => {
  const rig = new Rig()
  const probes = [new Probe('a', []), new Probe('b', ['a']), new Probe('c', ['b'])]
  installAll(rig.engine, Object.fromEntries(probes.map(({ name, manifold }) => [name, manifold])))
  await rig.pass(100)
  expect(probes.map(({ starts }) => starts)).toEqual([1, 1, 1])
})

test('2. a part without inputs starts at once, and a second one leaves it alone', async () => {
  const rig = new Rig()
  const first = new Probe('a', [])
  rig.engine.install(partRef('a'), first.manifold)
  await settle()
  expect(first.starts).toBe(1)
  const second = await rig.part('b')
  expect([first.starts, second.starts]).toEqual([1, 1])
})

test('3. a part with an unknown input starts when that is installed', async () => {
  const rig = new Rig()
  const later = await rig.part('b', ['a'])
  expect(later.starts).toBe(0)
  expect(rig.of('b').error).toBe('"a" not running: dependency not available')
  const first = await rig.part('a')
  await rig.pass(100)
  expect([first.starts, later.starts]).toEqual([1, 1])
})

test('4. a second part of the same name is refused', async () => {
  const rig = new Rig()
  const first = await rig.part('a')
  expect(() => rig.engine.install(partRef('a'), nothing)).toThrow('"a" is already installed')
  expect(first.starts).toBe(1)
})

test('5. inputs in a circle are refused, with the way round', async () => {
  const rig = new Rig()
  await rig.part('a', ['c'])
  await rig.part('b', ['a'])
  expect(() => rig.engine.install(partRef('c'), withInputs('x', 'b'))).toThrow(
    'cannot install "c": its inputs go in a circle, c ← b ← a ← c',
  )
  expect(() => rig.engine.install(partRef('self'), withInputs('self'))).toThrow('self ← self')
  rig.engine.install(partRef('c'), nothing)
})

test('6. nothing is installed once the engine stops', async () => {
  const rig = new Rig()
  await rig.part('a')
  rig.engine.kill()
  expect(() => rig.engine.install(partRef('b'), nothing)).toThrow('the engine is shutting down')
  await rig.engine.wait()
  expect(() => rig.engine.install(partRef('b'), nothing)).toThrow('the engine is shutting down')
})

test('7. an input without output can be asked for its existence', async () => {
  const rig = new Rig()
  await rig.part('a')
  const inputs = [partRef('a')]
  await expect(seen(rig, { inputs }, (context) => context.get(partRef('a')))).resolves.toBeUndefined()
})

test('8. an input that was not declared is not given', async () => {
  const rig = new Rig()
  await rig.part('x')
  const looked = seen(rig, {}, (context) => context.get(partRef('x')))
  await expect(looked).rejects.toThrow('"x" not declared: dependency not available')
  await expect(looked).rejects.toBeInstanceOf(MissingError)
})

test('9. an output is given to whom it suits', async () => {
  const rig = new Rig()
  const probe = new Probe('a', [])
  probe.output = 'a text'
  rig.engine.install(partRef('a'), probe.manifold)
  await settle()
  const inputs = [partRef('a')]
  const get = (ref: ReturnType<typeof partRef<string>>) => (context: StartContext) => context.get(ref)
  await expect(seen(rig, { inputs }, get(partRef('a', isText)))).resolves.toBe('a text')
  await rig.engine.uninstall('looker')
  const isNever = (value: unknown): value is string => value === 'other'
  const refused = seen(rig, { inputs }, get(partRef('a', isNever)))
  await expect(refused).rejects.toMatchObject({ code: 'FLOG_ENGINE_OUTPUT' })
})

test('10. an input says whether it does not run or offers nothing', async () => {
  const rig = new Rig()
  await rig.part('silent')
  const soft = [partRef('gone'), partRef('silent')]
  const looks = await seen(rig, { soft }, (context) => {
    const attempt = (name: string) => {
      try {
        return context.get(partRef(name, isText))
      } catch (thrown) {
        return (thrown as Error).message
      }
    }
    return [attempt('gone'), attempt('silent'), context.maybe(partRef('gone', isText))]
  })
  expect(looks).toEqual([
    '"gone" not running: dependency not available',
    '"silent" not exposed: dependency not available',
    undefined,
  ])
})

test('26. graphs without a circle are valid, others are not', () => {
  validate({})
  validate({ a: nothing, b: withInputs('a', 'unknown') })
  const complex = { a: withInputs('b', 'c'), b: withInputs('d'), c: withInputs('d'), d: nothing }
  validate(complex)
  expect(() => validate({ ...complex, d: withInputs('e'), e: withInputs('a') })).toThrow('a ← b ← d ← e ← a')
  const soft = { ...nothing, soft: [partRef('a')] }
  expect(() => validate({ ...complex, d: soft })).toThrow('a ← b ← d ← a')
})

test('33. an input that is named twice starts its dependent once', async () => {
  const rig = new Rig()
  const input = await rig.part('a')
  const probe = await rig.part('b', ['a', 'a'], { soft: [partRef('a')] })
  await input.fail(error())
  await rig.pass(2000)
  expect([input.starts, probe.starts]).toEqual([2, 2])
  expect(rig.of('b')).toMatchObject({ inputs: ['a'], soft: [] })
})

test('39. what a start was given cannot be asked when it is over', async () => {
  const rig = new Rig()
  await rig.part('a')
  const probe = await rig.part('b', ['a'])
  expect(() => probe.contexts[0]?.get(partRef('a'))).toThrow(/"b" asked for "a" with the expired context/)
  expect(() => probe.contexts[0]?.maybe(partRef('a'))).toThrow(/expired context/)
})

test('wrapped and circular causes are looked through', () => {
  const circular = new Error('circular')
  circular.cause = circular
  expect(isMissing(circular)).toBe(false)
  expect(isMissing(new Error('outer', { cause: new MissingError('inner') }))).toBe(true)
  expect(isMissing(new FatalError('outer', { cause: new MissingError('inner') }))).toBe(false)
})
