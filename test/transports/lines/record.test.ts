import { Writable } from 'node:stream'
import pino from 'pino'
import winston from 'winston'
import { SystemClock } from '../../../src/base/clock'
import type { EventInput } from '../../../src/recorder/logger'
import { LineAssembler } from '../../../src/transports/lines/assembler'
import { recordLine } from '../../../src/transports/lines/record'

/** What is recorded of what a program prints on one of its streams. */
function recorder(stream: 'stdout' | 'stderr' = 'stdout') {
  const recorded: EventInput[] = []
  const logger = {
    record: (event: EventInput) => recorded.push(event),
  }
  const assembler = new LineAssembler({
    stream,
    clock: new SystemClock(),
    lineBytes: 10_000,
    emit: (event) => recordLine(logger, event),
  })
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      assembler.push(chunk)
      done()
    },
  })
  return { recorded, assembler, sink }
}

test('what winston prints as JSON is what was logged', async () => {
  const { recorded, sink } = recorder()
  const { combine, timestamp, errors, json } = winston.format
  const logger = winston.createLogger({
    level: 'silly',
    format: combine(timestamp(), errors({ stack: true }), json()),
    transports: [new winston.transports.Stream({ stream: sink })],
  })
  const before = Date.now() * 1000
  logger.verbose('lease taken', { lease: 7 })
  logger.error(new TypeError('order is undefined'))
  await new Promise((resolve) => logger.end(resolve))
  expect(recorded).toEqual([
    expect.objectContaining({
      severity: 6,
      message: 'lease taken',
      fields: { lease: 7 },
      facility: 'stdout',
    }),
    expect.objectContaining({
      severity: 17,
      message: 'order is undefined',
      error: { name: 'TypeError', message: 'order is undefined', stack: expect.stringContaining('    at ') },
    }),
  ])
  expect(recorded[0]?.time).toBeGreaterThanOrEqual(before)
})

test('what pino prints is what was logged', () => {
  const { recorded, sink } = recorder()
  const logger = pino({ level: 'trace', name: 'shop' }, sink)
  logger.debug({ lease: 7 }, 'lease taken')
  logger.fatal(Object.assign(new TypeError('order is undefined'), { code: 'E_ORDER' }))
  expect(recorded).toEqual([
    expect.objectContaining({
      severity: 5,
      message: 'lease taken',
      facility: 'shop',
      fields: expect.objectContaining({ lease: 7 }),
    }),
    expect.objectContaining({
      severity: 21,
      message: 'order is undefined',
      error: expect.objectContaining({ name: 'TypeError', code: 'E_ORDER' }),
    }),
  ])
})

test('a line that names no level is info, on standard error too, and its facility is the stream', () => {
  const { recorded, assembler } = recorder('stderr')
  assembler.push(Buffer.from('loading 10 %\n'))
  assembler.end()
  expect(recorded).toEqual([
    expect.objectContaining({ severity: 9, message: 'loading 10 %', facility: 'stderr', fields: {} }),
  ])
})

test('what was cut off a line is counted in the event', () => {
  const { recorded, assembler } = recorder()
  assembler.push(Buffer.from(`${'x'.repeat(10_100)}\n`))
  assembler.end()
  expect(recorded).toEqual([
    expect.objectContaining({ message: 'x'.repeat(10_000), fields: { bytesCut: 100 } }),
  ])
})
