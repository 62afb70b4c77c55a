import { join } from 'node:path'
import { FlogError } from '../../src/base/errors'
import { IncidentReporter } from '../../src/incident/reporter'
import { parseOptions } from '../../src/recorder/options'
import { createRecorder } from '../../src/recorder/recorder'

/** The error of options that cannot be taken. */
function refusal(options: object): FlogError | undefined {
  try {
    void createRecorder({ directory: join(__dirname, 'never made'), ...options }).close()
    return undefined
  } catch (error) {
    if (FlogError.is(error)) return error
    throw error
  }
}

test.each<[string, object]>([
  ['directory', { directory: '' }],
  ['directory', { directory: 5 }],
  ['directory', { directory: 'a\0b' }],
  ['service', { service: '' }],
  ['service', { service: {} }],
  ['version', { version: 3 }],
  ['versions', { versions: '1' }],
  ['versions.app', { versions: { app: 2 } }],
  ['rings', { rings: null }],
  ['rings', { rings: ['1MiB'] }],
  ['rings.debug', { rings: { debug: 'much' } }],
  ['rings.debug', { rings: { debug: -1 } }],
  ['rings.debug', { rings: { debug: '2GiB' } }],
  ['rings.verbose', { rings: { verbose: '1MiB' } }],
  ['facilities', { facilities: 'db' }],
  ['facilities.db', { facilities: { db: '1MiB' } }],
  ['facilities.db.debug', { facilities: { db: { debug: 0 } } }],
  ['facilities.db.verbose', { facilities: { db: { verbose: 1 } } }],
  ['qualifier', { qualifier: 'error' }],
  ['qualifier', { qualifier: {} }],
  ['qualifier.minimumSeverity', { qualifier: { minimumSeverity: 99, qualifies: () => true } }],
  ['reporter', { reporter: 5 }],
  ['reporter', { reporter: () => new IncidentReporter() }],
  ['reporter', { reporter: class {} }],
  ['reporter.posttriger', { reporter: { posttriger: {} } }],
  ['reporter.postTrigger', { reporter: { postTrigger: 100 } }],
  ['reporter.postTrigger.events', { reporter: { postTrigger: { events: -1 } } }],
  ['reporter.postTrigger.events', { reporter: { postTrigger: { events: 1.5 } } }],
  ['reporter.postTrigger.ms', { reporter: { postTrigger: { ms: '5s' } } }],
  ['reporter.postTrigger.seconds', { reporter: { postTrigger: { seconds: 5 } } }],
  ['reporter.cap.events', { reporter: { cap: { events: 0 } } }],
  ['reporter.cap.ms', { reporter: { cap: { ms: Number.NaN } } }],
  ['reporter.cap.time', { reporter: { cap: { time: 5 } } }],
  ['reporter.historyBytesAtTrigger', { reporter: { historyBytesAtTrigger: 'all' } }],
  ['reporter.durable', { reporter: { durable: 'yes' } }],
  ['limits', { limits: 5 }],
  ['limits.perHour', { limits: { perHour: 0 } }],
  ['limits.perFingerprintPerHour', { limits: { perFingerprintPerHour: 'few' } }],
  ['limits.coolDownMs', { limits: { coolDownMs: -1 } }],
  ['limits.cooldownMs', { limits: { cooldownMs: 0 } }],
  ['retention', { retention: '1GiB' }],
  ['retention.maxBytes', { retention: { maxBytes: 0 } }],
  ['retention.maxIncidents', { retention: { maxIncidents: 1.5 } }],
  ['retention.maxFiles', { retention: { maxFiles: 5 } }],
  ['redact', { redact: 'password' }],
  ['redact', { redact: [5] }],
  ['redact.defaults', { redact: { defaults: 'no' } }],
  ['redact.also', { redact: { also: 'pin' } }],
  ['redact.extra', { redact: { extra: ['pin'] } }],
  ['eventBytes', { eventBytes: 100 }],
  ['eventBytes', { eventBytes: '1MiB' }],
  ['eventBytes', { eventBytes: '64KiB', rings: { trace: '64KiB' } }],
  ['fileMode', { fileMode: '0600' }],
  ['fileMode', { fileMode: 0o400 }],
  ['fileMode', { fileMode: 0o1600 }],
  ['dir', { dir: '/tmp' }],
  ['ring', { ring: {} }],
])('%s in %j is refused by name', (option, options) => {
  const error = refusal(options)
  expect(error?.code).toBe('FLOG_OPTION_INVALID')
  expect(error?.details['option']).toBe(option)
  expect(error?.message).toContain(option)
})

test.each([null, 5, 'directory', []])('%p for all options is refused', (options) => {
  expect(() => parseOptions(options as never)).toThrow('option options takes an object')
})

test.each<[object, string]>([
  [{ dir: '/tmp' }, 'there is no option dir, did you mean directory?'],
  [{ redakt: [] }, 'there is no option redakt, did you mean redact?'],
  [{ retention: { maxByte: 5 } }, 'there is no option retention.maxByte, did you mean maxBytes?'],
  [{ limits: { cooldownMs: 0 } }, 'there is no option limits.cooldownMs, did you mean coolDownMs?'],
  [{ limits: { x: 0 } }, 'there is no option limits.x, there are perHour, perFingerprintPerHour, coolDownMs'],
  [{ eventBytes: true }, 'option eventBytes takes a size such as 65536, "512KiB" or "4MiB", got true'],
])('%j is answered with what to do', (options, message) => {
  expect(refusal(options)?.message).toBe(message)
})

test('a directory is the one of the working directory at the start', () => {
  expect(parseOptions({}).directory).toBe(join(process.cwd(), 'incidents'))
  expect(parseOptions({ directory: 'here' }).directory).toBe(join(process.cwd(), 'here'))
  expect(parseOptions({ directory: '/there' }).directory).toBe('/there')
})

test('the constructor of a reporter checks its options like those of a recorder', () => {
  expect(() => new IncidentReporter({ durabel: true } as never)).toThrow(
    'there is no option reporter.durabel, did you mean durable?',
  )
})

test('an error of a reporter class in its own constructor is its own', () => {
  class Failing extends IncidentReporter {
    constructor() {
      super()
      throw new RangeError('mine')
    }
  }
  expect(() => parseOptions({ reporter: Failing })).toThrow(RangeError)
})
