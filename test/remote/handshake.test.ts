import fc from 'fast-check'
import { systemRandom } from '../../src/base/random'
import { AcceptorHandshake, type Handshake, OpenerHandshake } from '../../src/remote/handshake'
import type { Role } from '../../src/remote/protocol'
import { pack } from '../../src/remote/wire'

const read = new Uint8Array(32).fill(1)
const control = new Uint8Array(32).fill(2)
const secretOf = (role: Role) => ({ read, control, publish: undefined })[role]
const plain = { keyingMaterial: new Uint8Array(), random: systemRandom }

const acceptor = (options = plain) => new AcceptorHandshake(secretOf, options)
const opener = (role: Role = 'read', secret = read, options = plain) =>
  new OpenerHandshake(role, secret, options)

/** All messages of a handshake between the two, as they were sent. */
function run(
  a: Handshake,
  b: Handshake,
  change: (bytes: Uint8Array, index: number) => Uint8Array = (bytes) => bytes,
) {
  const sent: Uint8Array[] = []
  const done: unknown[] = []
  let pending = a.start().map((bytes) => ({ to: b, bytes }))
  while (pending.length > 0) {
    const [{ to, bytes }, ...rest] = pending as [{ to: Handshake; bytes: Uint8Array }]
    const changed = change(bytes, sent.length)
    sent.push(changed)
    const step = to.receive(changed)
    if (step.done !== undefined) done.push(step.done)
    const answers = step.send.map((answer) => ({ to: to === a ? b : a, bytes: answer }))
    pending = [...rest, ...answers]
  }
  return { sent, done }
}

test('both sides agree on version, features and role', () => {
  const { done, sent } = run(opener('control', control), acceptor())
  const agreed = { version: 1, features: ['fetch', 'incidents', 'tail', 'capture'], role: 'control' }
  expect(done).toEqual([agreed, agreed])
  expect(sent).toHaveLength(5)
})

test('no message holds a secret', () => {
  for (const bytes of run(opener(), acceptor()).sent)
    expect(Buffer.from(bytes).includes(Buffer.from(read))).toBe(false)
})

test('an acceptor without the secret is found out before anything is proved to it', () => {
  const impostor = new AcceptorHandshake(() => new Uint8Array(32).fill(9), plain)
  const client = opener()
  const [challenge, proof] = impostor.receive(client.start()[0]!).send
  expect(client.receive(challenge!).send).toEqual([])
  expect(() => client.receive(proof!)).toThrow(expect.objectContaining({ code: 'FLOG_REMOTE_UNTRUSTED' }))
})

test('an opener with the wrong secret, or the secret of another role, is refused', () => {
  const attempts: readonly (readonly [Role, Uint8Array<ArrayBuffer>])[] = [
    ['read', new Uint8Array(32).fill(9)],
    ['control', read],
    ['read', control],
    ['publish', read],
  ]
  for (const [role, secret] of attempts) {
    const server = acceptor()
    const liar = opener(role, secret)
    const [challenge, proof] = server.receive(liar.start()[0]!).send
    liar.receive(challenge!)
    expect(() => liar.receive(proof!)).toThrow(expect.objectContaining({ code: 'FLOG_REMOTE_UNTRUSTED' }))
    const own = { type: 'proof', proof: new Uint8Array(32) }
    expect(() => server.receive(pack(own))).toThrow(expect.objectContaining({ code: 'FLOG_REMOTE_REFUSED' }))
  }
})

test('a proof that was seen before is worth nothing', () => {
  const { sent } = run(opener(), acceptor())
  const [hello, , , proof] = sent as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  const server = acceptor()
  server.receive(hello)
  expect(() => server.receive(proof)).toThrow(expect.objectContaining({ code: 'FLOG_REMOTE_REFUSED' }))
})

test("an acceptor's own proof, sent back to it, is worth nothing", () => {
  const server = acceptor()
  const [, proof] = server.receive(opener().start()[0]!).send
  expect(() => server.receive(proof!)).toThrow(expect.objectContaining({ code: 'FLOG_REMOTE_REFUSED' }))
})

test('somebody who passes messages on between two TLS connections is found out', () => {
  const left = { ...plain, keyingMaterial: new Uint8Array(32).fill(3) }
  const right = { ...plain, keyingMaterial: new Uint8Array(32).fill(4) }
  expect(() => run(opener('read', read, left), acceptor(right))).toThrow(
    expect.objectContaining({ code: 'FLOG_REMOTE_UNTRUSTED' }),
  )
  expect(run(opener('read', read, left), acceptor(left)).done).toHaveLength(2)
})

test('versions that do not meet are named', () => {
  const hello = { type: 'hello', min: 2, max: 3, features: [], role: 'read', nonce: new Uint8Array(32) }
  expect(() => acceptor().receive(pack(hello))).toThrow('versions 2 to 3')
  const newer = { ...hello, min: 1, max: 9, somethingNew: [1, 2, 3] }
  expect(acceptor().receive(pack(newer)).send).toHaveLength(2)
})

test('any change of any byte on the way ends the handshake with an error of ours', () => {
  fc.assert(
    fc.property(fc.nat(3), fc.nat(400), fc.integer({ min: 1, max: 255 }), (message, at, flip) => {
      let ended: unknown
      let changed = false
      try {
        const change = (bytes: Uint8Array, index: number): Uint8Array => {
          if (index !== message || at >= bytes.length) return bytes
          changed = true
          return bytes.map((byte, i) => (i === at ? byte ^ flip : byte))
        }
        ended = run(opener(), acceptor(), change).done
      } catch (error) {
        expect(error).toMatchObject({
          code: expect.stringMatching(/^FLOG_REMOTE_(PROTOCOL|REFUSED|UNTRUSTED|VERSION)$/),
        })
        return
      }
      expect(changed).toBe(false)
      expect(ended).toHaveLength(2)
    }),
    { numRuns: 2000 },
  )
})

test('messages in another order, or any other bytes, end it with an error of ours', () => {
  const { sent } = run(opener(), acceptor())
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...sent), fc.uint8Array({ maxLength: 3000 })), { maxLength: 6 }),
      (messages) => {
        for (const side of [acceptor(), opener()]) {
          try {
            for (const message of messages) expect(side.receive(message).done).toBeUndefined()
          } catch (error) {
            expect(error).toMatchObject({ code: expect.stringMatching(/^FLOG_REMOTE_/) })
          }
        }
      },
    ),
  )
})
