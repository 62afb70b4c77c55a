import { onProcessExit, processState } from '../../src/recorder/process'

test('the state of a process is one, whoever asks for it', () => {
  expect(processState()).toBe(processState())
  expect(processState().incarnation).toMatch(/^[0-9a-f]{16}$/)
})

test('another copy of this module in the process has the same state, and the same listener', () => {
  jest.isolateModules(() => {
    const other = require('../../src/recorder/process') as typeof import('../../src/recorder/process')
    expect(other.processState).not.toBe(processState)
    expect(other.processState()).toBe(processState())
    const before = process.listenerCount('exit')
    const forget = onProcessExit({ onExit: () => {} })
    const forgetOther = other.onProcessExit({ onExit: () => {} })
    expect(process.listenerCount('exit')).toBe(before + 1)
    forget()
    forgetOther()
    expect(process.listenerCount('exit')).toBe(before)
  })
})

test('one that fails at exit keeps no other from being told', () => {
  const told: string[] = []
  const forgets = [
    onProcessExit({
      onExit: () => {
        throw new Error('broken')
      },
    }),
    onProcessExit({ onExit: () => told.push('second') }),
  ]
  processState().tellAll()
  for (const forget of forgets) forget()
  expect(told).toEqual(['second'])
})
