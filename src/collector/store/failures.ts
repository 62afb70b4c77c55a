import { FlogError, type FlogErrorCode, messageOf, systemCode } from '../../base/errors'

/** What was being done, for messages. */
export interface Doing {
  /** The database, without a password. */
  readonly where: string
  /** The statement, if one was run. */
  readonly statement?: string
}

/**
 * SQLSTATE codes, or their classes (two characters), by what they mean to us; the longer one wins. Appendix A of the
 * manual of PostgreSQL lists them.
 */
const BY_STATE: Readonly<Record<string, FlogErrorCode>> = {
  '08': 'FLOG_DATABASE_UNREACHABLE',
  '57P01': 'FLOG_DATABASE_UNREACHABLE',
  '57P02': 'FLOG_DATABASE_UNREACHABLE',
  '57P03': 'FLOG_DATABASE_UNREACHABLE',
  // CockroachDB's, of a statement whose answer was lost among its own nodes.
  '40003': 'FLOG_DATABASE_UNREACHABLE',
  '53300': 'FLOG_DATABASE_UNREACHABLE',
  '25006': 'FLOG_DATABASE_READ_ONLY',
  '23505': 'FLOG_DATABASE_CONFLICT',
  '23P01': 'FLOG_DATABASE_CONFLICT',
  '40001': 'FLOG_DATABASE_SERIALIZATION',
  '40P01': 'FLOG_DATABASE_SERIALIZATION',
  '57014': 'FLOG_DATABASE_TIMEOUT',
  '57P05': 'FLOG_DATABASE_TIMEOUT',
  '55P03': 'FLOG_DATABASE_TIMEOUT',
  '25P03': 'FLOG_DATABASE_TIMEOUT',
  '25P04': 'FLOG_DATABASE_TIMEOUT',
}

const MEANING: Readonly<Partial<Record<FlogErrorCode, string>>> = {
  FLOG_DATABASE_UNREACHABLE: 'cannot be reached',
  FLOG_DATABASE_READ_ONLY: 'takes no writes: it is read-only, or a standby',
  FLOG_DATABASE_CONFLICT: 'has such a row already',
  FLOG_DATABASE_SERIALIZATION: 'could not bring transactions into an order',
  FLOG_DATABASE_TIMEOUT: 'took too long',
  FLOG_DATABASE_FAILED: 'refused',
}

/** pg says these without a code. */
const LOST =
  /^(Connection terminated|Client was closed|Client has encountered a connection error|timeout expired|timeout exceeded)/
/** What the operating system says of a connection: errors of DNS, of TCP, and of a socket's file. */
const UNREACHABLE = /^E(AI_|CONN|HOST|NET|NOTFOUND|PIPE|TIMEDOUT|NOENT|ACCES)/

/** What pg says of one that asks for a password where there is none. */
const NO_PASSWORD = /client password must be a/
/** What Node says of a certificate that nobody whom it knows has issued. */
const UNTRUSTED =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF).*)$/

/** The typed error for what the driver threw; one that is typed already is handed back. Never throws. */
export function databaseFailure(cause: unknown, doing: Doing): FlogError {
  if (FlogError.is(cause)) return cause
  const state = sqlStateOf(cause)
  const code = codeOf(cause, state)
  const statement = doing.statement?.replace(/\s+/g, ' ').trim().slice(0, 200)
  const constraint = field(cause, 'constraint')
  return new FlogError(code, `the database ${doing.where} ${MEANING[code]}: ${reasonOf(cause)}`, {
    cause,
    details: {
      where: doing.where,
      ...(statement === undefined ? {} : { statement }),
      ...(state === undefined ? {} : { sqlState: state }),
      ...(constraint === undefined ? {} : { constraint }),
    },
  })
}

function reasonOf(cause: unknown): string {
  const system = systemCode(cause)
  const message = messageOf(cause)
  if (NO_PASSWORD.test(message)) return 'it asks for a password, and none was given'
  if (system !== undefined && UNTRUSTED.test(system)) {
    return `${message}: name the file of its issuer by sslrootcert=, or do without that by sslmode=no-verify`
  }
  return message || (system ?? 'no reason was given')
}

function codeOf(cause: unknown, state: string | undefined): FlogErrorCode {
  if (state !== undefined) return BY_STATE[state] ?? BY_STATE[state.slice(0, 2)] ?? 'FLOG_DATABASE_FAILED'
  const system = systemCode(cause) ?? ''
  if (UNREACHABLE.test(system) || LOST.test(messageOf(cause))) return 'FLOG_DATABASE_UNREACHABLE'
  return 'FLOG_DATABASE_FAILED'
}

function sqlStateOf(cause: unknown): string | undefined {
  const code = field(cause, 'code')
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && field(cause, 'severity') !== undefined
    ? code
    : undefined
}

function field(cause: unknown, name: string): string | undefined {
  const value =
    typeof cause === 'object' && cause !== null ? (cause as Record<string, unknown>)[name] : undefined
  return typeof value === 'string' ? value : undefined
}
