import { types } from 'node:util'

// Values may be hostile: proxies, getters that throw, properties that lie. What is asked of them here never throws.

/** Whether an object, no proxy, is one of nobody's class. */
export function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype === Object.prototype || prototype === null
}

/** Not its own `valueOf`, which may answer anything. */
export function unboxed(object: object): unknown {
  if (types.isNumberObject(object)) return Number.prototype.valueOf.call(object)
  if (types.isStringObject(object)) return String.prototype.valueOf.call(object)
  if (types.isBooleanObject(object)) return Boolean.prototype.valueOf.call(object)
  if (types.isBigIntObject(object)) return BigInt.prototype.valueOf.call(object)
  return Symbol.prototype.valueOf.call(object)
}

/** A property, or text that says what reading it threw. */
export function read(object: object, name: string): unknown {
  try {
    return (object as Record<string, unknown>)[name]
  } catch (error) {
    return `[threw ${thrownText(error)}]`
  }
}

/** `Object.hasOwn`, of anything. */
export function hasOwn(object: object, name: string): boolean {
  try {
    return Object.hasOwn(object, name)
  } catch {
    return false
  }
}

/** `Object.keys`, of anything. */
export function ownNames(object: object): readonly string[] {
  try {
    return Object.keys(object)
  } catch {
    return []
  }
}

/** `Array.isArray`, of anything: a revoked proxy throws. */
export function isArray(value: unknown): boolean {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}

export function errorName(error: object): unknown {
  const name = read(error, 'name')
  return typeof name === 'string' ? name : kindName(error)
}

/** The name of a function or class, or nothing. */
export function nameOf(value: object): string {
  const name = read(value, 'name')
  return typeof name === 'string' ? name : ''
}

/** The name of an object's class. */
export function kindName(object: object): string {
  try {
    const kind: unknown = object.constructor
    return typeof kind === 'function' ? nameOf(kind) : 'Object'
  } catch {
    return 'Object'
  }
}

/** What was thrown, as text. Never throws. */
export function thrownText(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error)
  } catch {
    return 'something that cannot be shown'
  }
}
