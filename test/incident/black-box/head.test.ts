import { decodeArea, decodeHead, encodeArea, encodeHead } from '../../../src/incident/black-box/head'
import { HEAD_BYTES } from '../../../src/incident/black-box/layout'
import { incident, OPENED_AT } from '../samples'
import { originOf } from './rig'

const header = { id: incident(1), startedAt: OPENED_AT, origin: originOf() }

test('a header is read as it was written, keys of later versions included', () => {
  const labelled = { ...header, origin: { ...header.origin, argv: ['a'], label: 'worker 2' } }
  const bytes = encodeHead(labelled)
  expect(bytes).toHaveLength(HEAD_BYTES)
  expect(decodeHead(bytes, 'x')).toEqual(labelled)
})

test('arguments that there is no room for are left out', () => {
  const long = { ...header, origin: { ...header.origin, argv: Array(100).fill('x'.repeat(1000)) } }
  expect(decodeHead(encodeHead(long), 'x')).toEqual(header)
})

test('what is too long without them is refused', () => {
  const versions = Object.fromEntries(
    Array.from({ length: 900 }, (_, i) => [`${i}`.repeat(50), 'x'.repeat(90)]),
  )
  expect(() => encodeHead({ ...header, origin: { ...header.origin, versions } })).toThrow(/versions/)
})

test('an area says which ring it holds; a damaged one says nothing', () => {
  const label = { severity: 'warn', facility: 'db.pool', thread: 3 }
  const bytes = encodeArea(label)
  expect(decodeArea(bytes)).toEqual(label)
  expect(decodeArea(encodeArea({ ...label, facility: 'x'.repeat(9000) }))?.facility).toHaveLength(512)
  for (let at = 0; at < 30; at++) {
    const damaged = bytes.slice()
    damaged[at] = (damaged[at] as number) ^ 0x55
    expect(decodeArea(damaged)).toBeUndefined()
  }
})
