import type { CustomTypesConfig } from 'pg'
import { driver } from './driver'

const INT8 = 20
const BYTEA = 17

/**
 * How values of a database become JavaScript's, for our connections only: pg's own table is global to the process, and
 * the program around us may have its own wishes. What is not named here is as pg has it: timestamptz a Date, jsonb parsed,
 * numeric text.
 */
export function valueTypes(): CustomTypesConfig {
  const { types } = driver()
  return {
    getTypeParser: (oid: number, format?: 'text' | 'binary') => {
      if (format !== 'binary' && oid === INT8) return BigInt
      const parse = types.getTypeParser(oid, format as 'text')
      return oid === BYTEA ? (text: string) => new Uint8Array(parse(text) as Uint8Array) : parse
    },
  }
}
