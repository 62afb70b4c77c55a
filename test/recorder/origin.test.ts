import { Redactor } from '../../src/event/redact'
import { originOf, redactedArguments } from '../../src/recorder/origin'

test.each([
  [
    ['--password=hush', '--port=80'],
    ['--password=[redacted]', '--port=80'],
  ],
  [
    ['--api-key', 'hush', 'file'],
    ['--api-key', '[redacted]', 'file'],
  ],
  [
    ['--token', '--verbose'],
    ['--token', '--verbose'],
  ],
  [['-secret=hush'], ['-secret=[redacted]']],
  [['postgres://app:hush@db/shop'], ['postgres://app:[redacted]@db/shop']],
])('of arguments %j the header shows %j', (given, shown) => {
  expect(redactedArguments(given, new Redactor())).toEqual(shown)
})

test('what is not given has a default', () => {
  const none = { service: undefined, version: undefined, versions: undefined, label: undefined }
  const origin = originOf('0123456789abcdef', none, new Redactor())
  expect(origin).toMatchObject({ incarnation: '0123456789abcdef', version: '', pid: process.pid })
  expect(origin.service).not.toBe('')
  expect(origin.versions).toEqual({ node: process.versions.node, flog: expect.any(String) })
})
