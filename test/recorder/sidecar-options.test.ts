import { resolve } from 'node:path'
import { parseSidecar } from '../../src/recorder/sidecar-options'

test.each([[undefined], [false]])('%s is no second thread', (given) => {
  expect(parseSidecar(given)).toBeUndefined()
})

test('everything has a default', () => {
  const defaults = { stallMs: 1000, healthMs: 1000, blackBox: { directory: undefined } }
  expect(parseSidecar(true)).toEqual(defaults)
  expect(parseSidecar({})).toEqual(defaults)
  expect(parseSidecar({ blackBox: {} })).toEqual(defaults)
})

test('each part can be had otherwise, or left out', () => {
  expect(parseSidecar({ stallMs: 200, healthMs: 100, blackBox: { directory: '/dev/shm/boxes' } })).toEqual({
    ...{ stallMs: 200, healthMs: 100 },
    blackBox: { directory: '/dev/shm/boxes' },
  })
  expect(parseSidecar({ stallMs: 0, healthMs: 0, blackBox: false })).toEqual({
    ...{ stallMs: 0, healthMs: 0 },
    blackBox: undefined,
  })
})

test('a directory stays where it is when the program goes elsewhere', () => {
  expect(parseSidecar({ blackBox: { directory: 'boxes' } })?.blackBox?.directory).toBe(resolve('boxes'))
})

test.each([
  ['sidecar', null],
  ['sidecar', 'yes'],
  ['sidecar.stalls', { stalls: 1 }],
  ['sidecar.stallMs', { stallMs: 199 }],
  ['sidecar.stallMs', { stallMs: 3_600_001 }],
  ['sidecar.stallMs', { stallMs: '1000' }],
  ['sidecar.stallMs', { stallMs: Number.NaN }],
  ['sidecar.healthMs', { healthMs: 99 }],
  ['sidecar.healthMs', { healthMs: -1 }],
  ['sidecar.blackBox', { blackBox: true }],
  ['sidecar.blackBox', { blackBox: null }],
  ['sidecar.blackBox.path', { blackBox: { path: '/tmp' } }],
  ['sidecar.blackBox.directory', { blackBox: { directory: '' } }],
  ['sidecar.blackBox.directory', { blackBox: { directory: 7 } }],
  ['sidecar.blackBox.directory', { blackBox: { directory: 'a\0b' } }],
])('option %s: %j is refused by name', (option, given) => {
  expect(() => parseSidecar(given)).toThrow(
    expect.objectContaining({ code: 'FLOG_OPTION_INVALID', details: expect.objectContaining({ option }) }),
  )
})
