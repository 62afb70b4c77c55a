import { FlogError } from '../../src/base/errors'
import { checkNames } from '../../src/base/names'

function messageFor(option: string, given: unknown): string | undefined {
  try {
    checkNames(option, given, ['directory', 'service', 'maxBytes', 'ms'])
    return undefined
  } catch (error) {
    if (FlogError.is(error, 'FLOG_OPTION_INVALID')) return error.message
    throw error
  }
}

test.each([{}, { directory: 1, ms: undefined }])('%j has no name that is not known', (given) => {
  expect(messageFor('', given)).toBeUndefined()
})

test.each([
  ['', { dir: 1 }, 'there is no option dir, did you mean directory?'],
  ['', { servcie: 1 }, 'there is no option servcie, did you mean service?'],
  ['', { Service: 1 }, 'there is no option Service, did you mean service?'],
  ['retention', { maxByte: 1 }, 'there is no option retention.maxByte, did you mean maxBytes?'],
  ['', { colour: 1 }, 'there is no option colour, there are directory, service, maxBytes, ms'],
  ['', { s: 1 }, 'there is no option s, there are directory, service, maxBytes, ms'],
])('in %j, %j is answered with what was meant', (option, given, message) => {
  expect(messageFor(option, given)).toBe(message)
})

test.each([null, undefined, 5, 'text', []])('%p is no object of options', (given) => {
  expect(messageFor('', given)).toMatch(/^option options takes an object with directory, service/)
  expect(messageFor('limits', given)).toMatch(/^option limits takes an object/)
})
