import fc from 'fast-check'
import { addressOf, FIRST_VIEW, parseAddress } from '../../../src/viewer/page/address'
import { TIME_MODES } from '../../../src/viewer/page/text'

test('every view has an address that brings it back', () => {
  const view = fc.record({
    id: fc.string(),
    filter: fc.string({ unit: 'grapheme' }),
    selected: fc.option(fc.nat(), { nil: undefined }),
    zoom: fc.option(fc.tuple(fc.nat(1000), fc.integer({ min: 1001, max: 2 ** 50 })), { nil: undefined }),
    tree: fc.boolean(),
    fold: fc.boolean(),
    time: fc.constantFrom(...TIME_MODES),
    detail: fc.boolean(),
  })
  fc.assert(fc.property(view, (one) => expect(parseAddress(addressOf(one))).toEqual(one)))
})

test('what is wrong in an address is left out', () => {
  expect(parseAddress('#seq=-1&zoom=5..1&time=soon&%ff')).toEqual(FIRST_VIEW)
  expect(addressOf(FIRST_VIEW)).toBe('')
})
