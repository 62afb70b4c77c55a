import { basename } from 'node:path'
import { currentIdentity, ownerTag } from '../../../src/base/identity'
import {
  blackBoxClaimPath,
  blackBoxPath,
  blackBoxTemporaryPath,
  parseBlackBoxName,
} from '../../../src/incident/black-box/name'
import { parseFileName } from '../../../src/incident/name'
import { incident, OPENED_AT } from '../samples'

const owner = ownerTag(currentIdentity())
const path = blackBoxPath('/d', OPENED_AT, incident(7))
const plainName = `20261121T203105.123Z-${incident(7)}.blackbox.flog`

test('the name of a black box has its start and the id that its incident will have', () => {
  expect(path).toBe(`/d/${plainName}`)
  expect(parseBlackBoxName(basename(path))).toEqual({
    name: plainName,
    kind: 'black box',
    plainName,
    id: incident(7),
  })
})

test('claims and temporary files name who is at work', () => {
  const name = parseBlackBoxName(plainName)
  if (name === undefined) throw new Error('not a name')
  const claim = basename(blackBoxClaimPath('/d', name, owner))
  const temporary = basename(blackBoxTemporaryPath('/d', OPENED_AT, incident(7), owner, '0011aabb'))
  expect(parseBlackBoxName(claim)).toEqual({ name: claim, kind: 'claim', plainName, id: incident(7), owner })
  expect(parseBlackBoxName(temporary)).toMatchObject({ kind: 'temporary', plainName, id: incident(7), owner })
  const again = parseBlackBoxName(claim)
  expect(again && basename(blackBoxClaimPath('/d', again, owner))).toBe(claim)
})

test.each([
  '',
  'x.blackbox.flog',
  `../${plainName}`,
  `${plainName}.gz`,
  `${plainName}.claim-`,
  plainName.replace('-7.', '-0.'),
  plainName.replace('-7.', '-9999999999999999.'),
  `20261121T203105.123Z-${incident(7)}.incident.flog`,
])('%j is none', (name) => {
  expect(parseBlackBoxName(name)).toBeUndefined()
})

test('is no name of an incident file: what lists or removes incidents does not see it', () => {
  const claim = `${plainName}.claim-${owner}`
  for (const name of [plainName, claim, `.${plainName}.${owner}-0011aabb.tmp`]) {
    expect(parseFileName(name)).toBeUndefined()
  }
})
