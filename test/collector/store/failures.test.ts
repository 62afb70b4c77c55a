import { FlogError } from '../../../src/base/errors'
import { databaseFailure } from '../../../src/collector/store/failures'

const DOING = { where: 'postgres://db/flog', statement: 'SELECT\n  1' }

function driverError(fields: object, message = 'what it says'): Error {
  return Object.assign(new Error(message), fields)
}

test.each([
  ['08006', 'FLOG_DATABASE_UNREACHABLE'],
  ['57P01', 'FLOG_DATABASE_UNREACHABLE'],
  ['57P03', 'FLOG_DATABASE_UNREACHABLE'],
  ['53300', 'FLOG_DATABASE_UNREACHABLE'],
  ['25006', 'FLOG_DATABASE_READ_ONLY'],
  ['23505', 'FLOG_DATABASE_CONFLICT'],
  ['40001', 'FLOG_DATABASE_SERIALIZATION'],
  ['40P01', 'FLOG_DATABASE_SERIALIZATION'],
  ['57014', 'FLOG_DATABASE_TIMEOUT'],
  ['40003', 'FLOG_DATABASE_UNREACHABLE'],
  ['25P03', 'FLOG_DATABASE_TIMEOUT'],
  ['23503', 'FLOG_DATABASE_FAILED'],
  ['28P01', 'FLOG_DATABASE_FAILED'],
  ['XX000', 'FLOG_DATABASE_FAILED'],
])('SQLSTATE %s is %s', (code, expected) => {
  const cause = driverError({ code, severity: 'ERROR', constraint: 'some_key' })
  const failure = databaseFailure(cause, DOING)
  expect(failure).toMatchObject({
    code: expected,
    cause,
    details: { where: DOING.where, statement: 'SELECT 1', sqlState: code, constraint: 'some_key' },
  })
  expect(failure.message).toMatch(/^the database postgres:\/\/db\/flog .*: what it says$/)
})

test.each([
  ['ECONNREFUSED', ''],
  ['ENOTFOUND', ''],
  ['ECONNRESET', ''],
  [undefined, 'Connection terminated unexpectedly'],
  [undefined, 'timeout exceeded when trying to connect'],
])('%s %s means that it cannot be reached', (code, message) => {
  const failure = databaseFailure(driverError(code === undefined ? {} : { code }, message), { where: 'db' })
  expect(failure.code).toBe('FLOG_DATABASE_UNREACHABLE')
  expect(failure.message).toBe(`the database db cannot be reached: ${message || code}`)
})

test('an error that is typed already is handed back, and what is no error becomes one', () => {
  const typed = new FlogError('FLOG_CLOSED', 'closed')
  expect(databaseFailure(typed, DOING)).toBe(typed)
  expect(databaseFailure(null, DOING)).toMatchObject({ code: 'FLOG_DATABASE_FAILED' })
})
