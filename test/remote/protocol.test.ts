import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ERROR_CODES } from '../../src/base/errors'
import * as limits from '../../src/base/limits'
import { formatPosition, IncidentCursor } from '../../src/remote/cursor'
import { AcceptorHandshake, OpenerHandshake } from '../../src/remote/handshake'
import { ANSWER_CODES, CLOSE, FEATURES, KEYING_LABEL, ROLES } from '../../src/remote/protocol'
import { encodeMessage } from '../../src/remote/wire'
import { INCARNATION } from './support/sources'

const page = readFileSync(join(__dirname, '../../src/remote/PROTOCOL.md'), 'utf8')

/** The examples of the page, by the words behind `hex`. */
const examples = new Map(
  [...page.matchAll(/```hex ([^\n]+)\n([0-9a-f\n]+)```/g)].map(([, name, hex]) => [
    name,
    hex?.replaceAll('\n', ''),
  ]),
)
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex')

test('the handshake of the page is the one that runs', () => {
  const range = (from: number) => Uint8Array.from({ length: 32 }, (_, i) => from + i)
  const fixed = (from: number) => ({ bytes: () => range(from), fraction: () => 0 })
  const keyingMaterial = new Uint8Array()
  const opener = new OpenerHandshake('read', range(0x40), { keyingMaterial, random: fixed(0) })
  const acceptor = new AcceptorHandshake(() => range(0x40), { keyingMaterial, random: fixed(0x20) })
  const hello = opener.start()[0] as Uint8Array
  const [challenge, proof] = acceptor.receive(hello).send as [Uint8Array, Uint8Array]
  opener.receive(challenge)
  const answer = opener.receive(proof).send[0] as Uint8Array
  const welcome = acceptor.receive(answer).send[0]
  const sent = { hello, challenge, "acceptor's proof": proof, "opener's proof": answer, welcome }
  for (const [name, bytes] of Object.entries(sent))
    expect([name, hex(bytes)]).toEqual([name, examples.get(name)])
})

test('its messages are those that are sent', () => {
  const messages = {
    'request {id: 1, method: "list", params: {limit: 100}}': encodeMessage({
      type: 'request',
      id: 1,
      method: 'list',
      params: { limit: 100 },
    }),
    'credit {id: 2, messages: 8}': encodeMessage({ type: 'credit', id: 2, messages: 8 }),
    'cancel {id: 2}': encodeMessage({ type: 'cancel', id: 2 }),
    'error {id: 1, code: "FLOG_CURSOR_INVALID", message: "not a cursor"}': encodeMessage({
      type: 'error',
      id: 1,
      code: 'FLOG_CURSOR_INVALID',
      message: 'not a cursor',
    }),
  }
  for (const [name, bytes] of Object.entries(messages))
    expect([name, hex(bytes)]).toEqual([name, examples.get(name)])
  expect(examples.size).toBe(5 + Object.keys(messages).length)
})

test('its cursors are those that are made', () => {
  const cursor = new IncidentCursor()
  for (const number of [1, 2, 3, 5]) cursor.add({ incarnation: INCARNATION, number })
  expect(page).toContain(`\`${cursor}\``)
  const position = { incarnation: INCARNATION, seq: 41, ordinals: [0, 30, 12, 0, 0, 0] }
  expect(page).toContain(`\`${formatPosition(position)}\``)
})

test('its codes, features, roles and limits are those of the code', () => {
  const errors = [...page.matchAll(/^\| `(FLOG_\w+)` \|/gm)].map(([, code]) => code)
  expect(errors.sort()).toEqual([...ANSWER_CODES].sort())
  for (const code of errors) expect(Object.keys(ERROR_CODES)).toContain(code)
  const closes = [...page.matchAll(/^\| (\d{4}) \|/gm)].map(([, code]) => Number(code))
  expect(closes).toEqual(Object.values(CLOSE))
  for (const name of [...FEATURES, ...ROLES, KEYING_LABEL]) expect(page).toContain(`\`${name}\``)
  expect([limits.REMOTE_UNAUTHENTICATED_BYTES, limits.REMOTE_AUTHENTICATION_MS]).toEqual([8192, 5000])
  expect([limits.REMOTE_UNAUTHENTICATED, limits.REMOTE_CONNECTIONS, limits.REMOTE_REQUESTS]).toEqual([
    8, 32, 32,
  ])
  expect([limits.REMOTE_REQUEST_BYTES, limits.REMOTE_ANSWER_BYTES]).toEqual([1024 ** 2, 4 * 1024 ** 2])
  expect([limits.REMOTE_CREDIT, limits.REMOTE_LARGE_REQUESTS, limits.REMOTE_PING_MS]).toEqual([16, 4, 15_000])
  expect([limits.REMOTE_PAGE_INCIDENTS, limits.REMOTE_CHUNK_BYTES, limits.REMOTE_BUFFERED_BYTES]).toEqual([
    100, 65_536, 524_288,
  ])
})
