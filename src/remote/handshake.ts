import { createHmac, timingSafeEqual } from 'node:crypto'
import { FlogError } from '../base/errors'
import type { Random } from '../base/random'
import {
  FEATURES,
  type HandshakeMessage,
  NONCE_BYTES,
  PROOF_BYTES,
  ROLES,
  type Role,
  VERSION_MAX,
  VERSION_MIN,
} from './protocol'
import { decodeMessage, encodeMessage, type Fields, protocolError } from './wire'

/**
 * Mutual proof of a secret that neither side sends, as two state machines without a socket.
 *
 * ```
 * opener                                   acceptor
 * hello {min,max,features,role,nonce}  →
 *                                      ←   challenge {version,features,nonce}
 *                                      ←   proof          first: to an impostor nothing is proved
 * proof                                →
 *                                      ←   welcome
 * ```
 * A proof is HMAC-SHA256, keyed with the role's secret, over the side's name, the exact bytes of hello and
 * challenge, and the keying material of the TLS connection. So it cannot be replayed (nonces), reflected
 * (name), taken to another role or version (hello, challenge), or passed on through another TLS connection
 * (keying material).
 */
export interface Authenticated {
  readonly version: number
  /** Features that both sides know. */
  readonly features: readonly string[]
  readonly role: Role
}

export interface HandshakeStep {
  readonly send: readonly Uint8Array[]
  readonly done?: Authenticated
}

export interface Handshake {
  /** What to send before anything was received. */
  start(): readonly Uint8Array[]
  /** @throws FlogError for what ends the connection: FLOG_REMOTE_PROTOCOL, _VERSION, _REFUSED, _UNTRUSTED */
  receive(bytes: Uint8Array): HandshakeStep
}

export interface HandshakeOptions {
  /** Exported keying material of the TLS connection; empty without TLS. */
  readonly keyingMaterial: Uint8Array
  readonly random: Random
}

/** No message of a handshake is longer. */
const MESSAGE_BYTES = 2048
const MESSAGE_VALUES = 200
const MAX_FEATURES = 32

/** The side that made the connection. */
export class OpenerHandshake implements Handshake {
  readonly #secret: Uint8Array
  readonly #role: Role
  readonly #options: HandshakeOptions
  readonly #hello: Uint8Array
  #challenge: Uint8Array | undefined
  #agreed: Authenticated | undefined
  #state: 'challenge' | 'proof' | 'welcome' | 'over' = 'challenge'

  constructor(role: Role, secret: Uint8Array, options: HandshakeOptions) {
    this.#role = role
    this.#secret = secret
    this.#options = options
    const nonce = options.random.bytes(NONCE_BYTES)
    this.#hello = encodeMessage({
      type: 'hello',
      min: VERSION_MIN,
      max: VERSION_MAX,
      features: FEATURES,
      role,
      nonce,
    })
  }

  start(): readonly Uint8Array[] {
    return [this.#hello]
  }

  receive(bytes: Uint8Array): HandshakeStep {
    const message = decodeMessage(bytes, MESSAGE_BYTES, MESSAGE_VALUES)
    switch (this.#state) {
      case 'challenge':
        return this.#onChallenge(message, bytes)
      case 'proof':
        return this.#onProof(message)
      case 'welcome':
        return this.#onWelcome(message)
      case 'over':
        throw protocolError('a message after the handshake')
    }
  }

  #onChallenge(message: Fields, bytes: Uint8Array): HandshakeStep {
    expectType(message, 'challenge')
    const version = message.count('version')
    if (version < VERSION_MIN || version > VERSION_MAX) throw versionError(version, version)
    message.bytes('nonce', NONCE_BYTES)
    this.#agreed = { version, features: common(message), role: this.#role }
    this.#challenge = Uint8Array.from(bytes)
    this.#state = 'proof'
    return { send: [] }
  }

  #onProof(message: Fields): HandshakeStep {
    const proof = proofIn(message)
    if (!timingSafeEqual(proof, this.#prove('acceptor'))) {
      throw new FlogError(
        'FLOG_REMOTE_UNTRUSTED',
        "the other side does not know this logport's secret: it is old, or another program listens there",
      )
    }
    this.#state = 'welcome'
    return { send: [encodeMessage({ type: 'proof', proof: this.#prove('opener') })] }
  }

  #onWelcome(message: Fields): HandshakeStep {
    expectType(message, 'welcome')
    this.#state = 'over'
    return this.#agreed === undefined ? { send: [] } : { send: [], done: this.#agreed }
  }

  #prove(side: Side): Uint8Array {
    return prove(
      this.#secret,
      side,
      this.#hello,
      this.#challenge ?? new Uint8Array(),
      this.#options.keyingMaterial,
    )
  }
}

/** The side that was called. `secretOf` knows the roles that may be asked for. */
export class AcceptorHandshake implements Handshake {
  readonly #secretOf: (role: Role) => Uint8Array | undefined
  readonly #options: HandshakeOptions
  #expected: Uint8Array | undefined
  #over = false
  #agreed: Authenticated | undefined

  constructor(secretOf: (role: Role) => Uint8Array | undefined, options: HandshakeOptions) {
    this.#secretOf = secretOf
    this.#options = options
  }

  start(): readonly Uint8Array[] {
    return []
  }

  receive(bytes: Uint8Array): HandshakeStep {
    if (this.#over) throw protocolError('a message after the handshake')
    const message = decodeMessage(bytes, MESSAGE_BYTES, MESSAGE_VALUES)
    if (this.#expected === undefined || this.#agreed === undefined) return this.#onHello(message, bytes)
    this.#over = true
    if (!timingSafeEqual(proofIn(message), this.#expected)) throw refused()
    return { send: [encodeMessage({ type: 'welcome' })], done: this.#agreed }
  }

  #onHello(message: Fields, hello: Uint8Array): HandshakeStep {
    expectType(message, 'hello')
    const [min, max] = [message.count('min'), message.count('max')]
    if (min > VERSION_MAX || max < VERSION_MIN || min > max) throw versionError(min, max)
    message.bytes('nonce', NONCE_BYTES)
    const role = message.oneOf('role', ROLES)
    // A role that is not offered fails at its proof, like a wrong secret: a caller without secret learns
    // nothing
    const secret = this.#secretOf(role) ?? this.#options.random.bytes(NONCE_BYTES)
    const version = Math.min(max, VERSION_MAX)
    const nonce = this.#options.random.bytes(NONCE_BYTES)
    const challenge = encodeMessage({ type: 'challenge', version, features: FEATURES, nonce })
    const over = (side: Side): Uint8Array =>
      prove(secret, side, hello, challenge, this.#options.keyingMaterial)
    this.#agreed = { version, features: common(message), role }
    this.#expected = over('opener')
    return { send: [challenge, encodeMessage({ type: 'proof', proof: over('acceptor') })] }
  }
}

type Side = 'opener' | 'acceptor'

function prove(
  secret: Uint8Array,
  side: Side,
  hello: Uint8Array,
  challenge: Uint8Array,
  keyingMaterial: Uint8Array,
): Uint8Array {
  const hmac = createHmac('sha256', secret)
  for (const part of [Buffer.from(`flog remote ${side}`), hello, challenge, keyingMaterial]) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(part.length)
    hmac.update(length).update(part)
  }
  return hmac.digest()
}

function common(message: Fields): readonly string[] {
  const theirs = message.list('features', MAX_FEATURES)
  return FEATURES.filter((feature) => theirs.includes(feature))
}

function proofIn(message: Fields): Uint8Array {
  expectType(message, 'proof')
  return message.bytes('proof', PROOF_BYTES)
}

function expectType(message: Fields, type: HandshakeMessage['type']): void {
  if (message.map['type'] !== type) throw protocolError(`expected ${type} at this point of the handshake`)
}

function refused(): FlogError {
  return new FlogError('FLOG_REMOTE_REFUSED', 'the caller did not prove the secret of the role it asked for')
}

function versionError(min: number, max: number): FlogError {
  const theirs = min === max ? `version ${min}` : `versions ${min} to ${max}`
  const ours =
    VERSION_MIN === VERSION_MAX ? `version ${VERSION_MAX}` : `versions ${VERSION_MIN} to ${VERSION_MAX}`
  return new FlogError(
    'FLOG_REMOTE_VERSION',
    `the other side speaks ${theirs} of the protocol, this one ${ours}`,
  )
}
