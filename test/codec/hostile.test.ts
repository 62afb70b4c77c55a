import {
  errorName,
  hasOwn,
  isArray,
  isPlain,
  kindName,
  nameOf,
  ownNames,
  read,
  thrownText,
  unboxed,
} from '../../src/codec/hostile'

const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
const throwing = {
  get name(): string {
    throw new Error('no')
  },
}

test('what is asked of a revoked proxy is answered without throwing', () => {
  expect(isArray(revoked())).toBe(false)
  expect(ownNames(revoked())).toEqual([])
  expect(hasOwn(revoked(), 'x')).toBe(false)
  expect(kindName(revoked())).toBe('Object')
  expect(read(revoked(), 'x')).toMatch(/^\[threw /)
})

test('a getter that throws gives text that says so', () => {
  expect(read(throwing, 'name')).toBe('[threw no]')
  expect(nameOf(throwing)).toBe('[threw no]')
  expect(thrownText(throwing)).toBe('[object Object]')
})

test('what was thrown becomes text, whatever it is', () => {
  expect(thrownText(new Error('boom'))).toBe('boom')
  expect(thrownText('text')).toBe('text')
  expect(thrownText(Object.create(null))).toBe('something that cannot be shown')
})

test('boxed values are unboxed by the language, not by their own valueOf', () => {
  const liar = Object.assign(new Number(7), { valueOf: () => 'lie' })
  expect(unboxed(liar)).toBe(7)
  expect(unboxed(new String('a'))).toBe('a')
  expect(unboxed(new Boolean(false))).toBe(false)
  expect(unboxed(Object(3n))).toBe(3n)
})

test('plain objects are those of no class', () => {
  expect(isPlain({})).toBe(true)
  expect(isPlain(Object.create(null))).toBe(true)
  expect(isPlain(new Date(0))).toBe(false)
})

test('an error is called by its name, else by its class', () => {
  expect(errorName(new TypeError('x'))).toBe('TypeError')
  expect(errorName(Object.assign(new RangeError('x'), { name: 5 }))).toBe('RangeError')
})
