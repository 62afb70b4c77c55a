import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import winston from 'winston'
import { runWithContext } from '../../../src/event/context'
import { IncidentTransport } from '../../../src/winston'
import {
  closeAll,
  directory,
  eventsOf,
  incidentFiles,
  messages,
  recorderOf,
  rig,
  Sibling,
  transport,
} from './rig'

const { combine, json } = winston.format

afterEach(closeAll)

/** A format made of a function, typed for the infos that tests make. */
function format(transform: (info: winston.Logform.TransformableInfo) => unknown) {
  return winston.format(transform as never)()
}

const stuck = () => new Sibling(() => {})

describe('beside a sibling that never asks for more', () => {
  it('records every event within its own call', () => {
    const { log, events } = rig({ transports: stuck() })
    for (let i = 0; i < 1000; i++) {
      log.info('event', { i })
      if (i % 100 === 99) expect(events()).toHaveLength(i + 1)
    }
    expect(events().map((event) => event.fields['i'])).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  })

  it('begins an incident within the call that logged the error', () => {
    const path = directory()
    const { log } = rig(
      { transports: stuck() },
      { directory: path, qualifier: (event) => event.severity >= 17 },
    )
    for (let i = 0; i < 100; i++) log.info('before', { i })
    log.error('now')
    expect(incidentFiles(path)).toHaveLength(1)
  })

  it('records what the formats make of an event', () => {
    const upper = format((info) => ({ ...info, message: String(info.message).toUpperCase() }))
    const own = format((info) => Object.assign(info, { own: true }))
    const { log, events } = rig({ transports: stuck(), format: combine(upper, json()) }, { format: own })
    for (let i = 0; i < 50; i++) log.info('event', { i })
    expect(events()).toHaveLength(50)
    for (const event of events()) {
      expect(event).toMatchObject({ message: 'EVENT', fields: { own: true } })
    }
  })

  it('leaves the values of splat arguments to the formats', () => {
    const { log, events } = rig({ transports: stuck(), format: combine(winston.format.splat(), json()) })
    for (let i = 0; i < 50; i++) log.info('n %d', i, { m: i })
    expect(events().map((event) => [event.message, event.fields])).toEqual(
      Array.from({ length: 50 }, (_, i) => [`n ${i}`, { m: i }]),
    )
  })

  it('keeps errors, those that are logged again and again too', () => {
    const { log, events } = rig({ transports: stuck() })
    const error = new TypeError('again')
    for (let i = 0; i < 50; i++) log.error(error)
    expect(events()).toHaveLength(50)
    for (const event of events()) expect(event.error).toMatchObject({ name: 'TypeError', message: 'again' })
  })

  it('drops what a format drops, and keeps what the level lets through', () => {
    const noSecrets = format((info) => (info['secret'] === true ? false : info))
    const { log, events } = rig({ transports: stuck(), format: noSecrets }, { level: 'info' })
    for (let i = 0; i < 40; i++) log.info('kept', { secret: i % 2 === 0 })
    for (let i = 0; i < 40; i++) log.debug('below')
    expect(events()).toHaveLength(20)
  })
})

describe('beside a sibling that falls behind and catches up', () => {
  /** Asks for more one turn of the event loop later. */
  const slow = () => new Sibling((next) => setImmediate(next))

  /** winston itself loses what is queued when a logger ends, so nobody ends it. */
  async function caughtUp(sibling: Sibling, events: number): Promise<void> {
    while (sibling.seen.length < events) await new Promise(setImmediate)
  }

  it.each<[string, winston.Logform.Format]>([
    ['that change the info', json()],
    ['that return new objects', format((info) => ({ ...info, n: 1 }))],
    [
      'that return the same object for all',
      (() => {
        const one = {}
        return format((info) => Object.assign(one, info))
      })(),
    ],
  ])('records each event once, with formats %s', async (_what, given) => {
    const sibling = slow()
    const { log, events } = rig({ transports: sibling, format: given })
    for (let i = 0; i < 200; i++) {
      log.info('event', { i })
      if (i % 23 === 0) await new Promise(setImmediate)
    }
    await caughtUp(sibling, 200)
    expect(events().map((event) => event.fields['i'])).toEqual(Array.from({ length: 200 }, (_, i) => i))
  })

  it('sees the context of the call, always', async () => {
    const sibling = slow()
    const { log, events } = rig({ transports: sibling })
    const work = Array.from({ length: 60 }, (_, i) =>
      runWithContext({ traceId: `t${i}` }, async () => {
        await new Promise(setImmediate)
        log.info('event', { i })
      }),
    )
    await Promise.all(work)
    await caughtUp(sibling, 60)
    expect(events()).toHaveLength(60)
    for (const event of events()) expect(event.traceId).toBe(`t${event.fields['i']}`)
  })

  it('does not change what the sibling gets', async () => {
    const format = combine(winston.format.splat(), json())
    const lines = async (sibling: Sibling, log: winston.Logger) => {
      for (let i = 0; i < 60; i++) log.child({ c: i }).info('n %d', i, { i })
      await caughtUp(sibling, 60)
      return sibling.seen.map((info) => info[Symbol.for('message')])
    }
    const [alone, beside] = [slow(), slow()]
    const expected = await lines(alone, winston.createLogger({ format, transports: [alone] }))
    expect(await lines(beside, rig({ transports: beside, format }).log)).toEqual(expected)
    expect(expected[59]).toBe('{"c":59,"i":59,"level":"info","message":"n 59"}')
  })
})

describe('a sibling that throws', () => {
  it('throws out of the call as ever, and the event is recorded', () => {
    const failing = new Sibling(() => {
      throw new Error('sibling')
    })
    const incident = transport()
    const log = winston.createLogger({ transports: [failing, incident] })
    expect(() => log.info('m')).toThrow('sibling')
    expect(messages(eventsOf(incident.recorder))).toEqual(['m'])
  })
})

describe('formats', () => {
  it('that throw do so out of the call, and the event is recorded as it was logged', () => {
    const failing = format(() => {
      throw new Error('no such format')
    })
    const { log, events } = rig({ format: failing })
    expect(() => log.warn('m', { a: 1 })).toThrow('no such format')
    expect(events()).toMatchObject([
      { severity: 13, message: 'm', fields: { a: 1, formatFailed: 'no such format' } },
    ])
  })

  it('of the transport that throw do the same', () => {
    const failing = format(() => {
      throw new Error('no such format')
    })
    const { log, events } = rig({}, { format: failing })
    expect(() => log.warn('m')).toThrow('no such format')
    expect(events()).toMatchObject([
      { severity: 13, message: 'm', fields: { formatFailed: 'no such format' } },
    ])
  })

  it('that fail on what nobody can read leave its place in the order', () => {
    const { log, incident, events } = rig()
    const warned = jest.fn()
    incident.on('warn', warned)
    const refuse = () => {
      throw new Error('hands off')
    }
    const unreadable = new Proxy({}, { get: refuse, ownKeys: refuse })
    expect(() => log.write(unreadable as never)).toThrow('hands off')
    expect(events()).toMatchObject([{ message: 'an event that could not be read' }])
    expect(warned).toHaveBeenCalledWith(expect.objectContaining({ code: 'FLOG_EVENT_LOST' }))
  })

  it('that fail on a value leave the others', () => {
    const { log, events } = rig()
    const failing = {
      toJSON() {
        throw new Error('not me')
      },
    }
    expect(() => log.info('m', { failing, a: 1 })).toThrow('not me')
    expect(events()).toMatchObject([{ message: 'm', fields: { a: 1, formatFailed: 'not me' } }])
  })

  it('that drop an event are obeyed', () => {
    const { log, events } = rig({ format: format((info) => info['keep'] === true && info) })
    log.info('dropped')
    log.info('kept', { keep: true })
    expect(messages(events())).toEqual(['kept'])
  })

  it('of the transport change what is recorded and nothing else', () => {
    const sibling = new Sibling()
    const own = format((info) => ({ ...info, message: 'changed' }))
    const { log, events } = rig({ transports: sibling }, { format: own })
    log.info('m')
    expect(messages(events())).toEqual(['changed'])
    expect(sibling.seen[0]?.['message']).toBe('m')
  })

  it('may log themselves', () => {
    let log: winston.Logger | undefined
    const talking = format((info) => {
      if (info.message === 'outer') log?.info('inner')
      return info
    })
    const { log: made, events } = rig({ format: talking })
    log = made
    log.info('outer')
    expect(messages(events())).toEqual(['outer', 'inner'])
  })
})

describe('filtering', () => {
  it('is that of the logger when it is silent', () => {
    const { log, events } = rig({ silent: true })
    log.error('m')
    log.silent = false
    log.error('n')
    expect(messages(events())).toEqual(['n'])
  })

  it('is that of the transport, also when it changes', () => {
    const { log, incident, events } = rig({}, { level: 'warn' })
    log.info('a')
    log.warn('b')
    incident.level = 'debug'
    log.debug('c')
    log.silly('d')
    incident.silent = true
    log.error('e')
    incident.silent = false
    log.error('f')
    expect(messages(events())).toEqual(['b', 'c', 'f'])
  })

  it('leaves uncaught errors to those who asked for them', () => {
    const { log, events } = rig()
    log.error('m', { exception: true })
    expect(events()).toEqual([])
  })

  it('knows levels of any name', () => {
    const levels = { panic: 0, trouble: 1, talk: 2, whisper: 3 }
    const { log, events } = rig({ levels, level: 'panic' }, { severities: { talk: 'info' } })
    for (const level of Object.keys(levels)) log.log(level, level)
    const severities = events().map((event) => event.severity)
    expect(messages(events())).toEqual(Object.keys(levels))
    expect(severities).toEqual([...severities].sort((a, b) => b - a))
    expect(severities[2]).toBe(9)
  })

  it('does not change what other transports take', () => {
    const sibling = new Sibling()
    const { log } = rig({ level: 'warn', transports: sibling })
    log.info('a')
    log.warn('b')
    expect(sibling.seen.map((info) => info['message'])).toEqual(['b'])
    expect(log.isDebugEnabled()).toBe(true)
  })
})

describe('several', () => {
  it('loggers feed one transport', () => {
    const incident = transport()
    const npm = winston.createLogger({ transports: [incident] })
    const syslog = winston.createLogger({ levels: winston.config.syslog.levels, transports: [incident] })
    npm.silly('a')
    syslog.log('emerg', 'b')
    npm.child({ x: 1 }).error('c')
    syslog.log('debug', 'd')
    expect(eventsOf(incident.recorder)).toMatchObject([
      { severity: 1, message: 'a' },
      { severity: 23, message: 'b' },
      { severity: 17, message: 'c' },
      { severity: 5, message: 'd' },
    ])
  })

  it('loggers feed one recorder', () => {
    const recorder = recorderOf({ qualifier: () => false })
    const [a, b] = [0, 1].map(() => winston.createLogger({ transports: [transport({ recorder })] }))
    for (let i = 0; i < 3; i++) {
      a?.info('a', { i })
      b?.info('b', { i })
    }
    expect(messages(eventsOf(recorder))).toEqual(['a', 'b', 'a', 'b', 'a', 'b'])
  })

  it('recorders hear one logger', () => {
    const [first, second] = [transport(), transport({ level: 'error' })] as const
    const log = winston.createLogger({ transports: [first, stuck(), second] })
    for (let i = 0; i < 40; i++) log.info('a')
    log.error('b')
    expect(eventsOf(first.recorder)).toHaveLength(41)
    expect(messages(eventsOf(second.recorder))).toEqual(['b'])
  })

  it('loggers may end one after the other: the others go on', async () => {
    const incident = transport()
    const [a, b] = [0, 1].map(() => winston.createLogger({ transports: [incident] }))
    a?.info('a')
    const finished = once(a as winston.Logger, 'finish')
    a?.end()
    await finished
    b?.info('b')
    expect(messages(eventsOf(incident.recorder))).toEqual(['a', 'b'])
    const over = once(b as winston.Logger, 'finish')
    b?.end()
    await over
  })
})

describe('added and removed', () => {
  it('at run time, records in between', () => {
    const incident = transport({
      recorder: recorderOf({ qualifier: () => false }),
    })
    const log = winston.createLogger({ transports: [new Sibling()] })
    log.info('a')
    log.add(incident)
    log.info('b')
    log.remove(incident)
    log.info('c')
    log.add(incident)
    log.info('d')
    expect(messages(eventsOf(incident.recorder))).toEqual(['b', 'd'])
  })

  it('leaves the logger as it was', () => {
    const log = winston.createLogger({ transports: [new Sibling()] })
    const before = Object.getOwnPropertyNames(log)
    const incident = transport()
    log.add(incident)
    log.info('m')
    log.remove(incident)
    expect(Object.getOwnPropertyNames(log)).toEqual(before)
  })

  it('leaves what somebody else laid over the logger', () => {
    const { log, incident, events } = rig({ transports: new Sibling() })
    const ours = log.write as (info: unknown) => boolean
    const calls: unknown[] = []
    log.write = function (this: winston.Logger, info: unknown) {
      calls.push(info)
      return ours.call(this, info)
    } as never
    log.info('a')
    log.remove(incident)
    log.info('b')
    log.add(incident)
    log.info('c')
    expect(calls).toHaveLength(3)
    expect(messages(events())).toEqual(['a', 'c'])
  })

  it('again within configure(), goes on as if nothing had happened', async () => {
    const { log, incident, events } = rig()
    const { recorder } = incident
    log.info('a')
    log.configure({ level: 'debug', transports: [incident] })
    await Promise.resolve()
    log.info('b')
    expect(incident.recorder).toBe(recorder)
    expect(messages(events())).toEqual(['a', 'b'])
  })

  it('after it was closed, makes a new recorder', async () => {
    const { log, incident } = rig()
    const { recorder } = incident
    log.remove(incident)
    await incident.close()
    log.add(incident)
    log.info('m')
    expect(incident.recorder).not.toBe(recorder)
    expect(messages(eventsOf(incident.recorder))).toEqual(['m'])
  })

  it('through a child, hears the parent', () => {
    const log = winston.createLogger({ transports: [new Sibling()] })
    const incident = transport()
    log.child({ a: 1 }).add(incident)
    log.info('m')
    expect(messages(eventsOf(incident.recorder))).toEqual(['m'])
  })

  it('to a logger that is behind already, records what comes, in order', async () => {
    const late: (() => void)[] = []
    const log = winston.createLogger({ transports: [new Sibling((next) => late.push(next))] })
    for (let i = 0; i < 60; i++) log.info('event', { i })
    const incident = transport()
    log.add(incident)
    for (let i = 60; i < 80; i++) log.info('event', { i })
    const seen = eventsOf(incident.recorder).map((event) => event.fields['i'])
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => 60 + i))
  })
})

describe('as a stream', () => {
  it('calls next once, before log returns, and tells who listens for logged', async () => {
    const { incident, log } = rig()
    const next = jest.fn()
    incident.log({ level: 'info', message: 'm' }, next)
    expect(next).toHaveBeenCalledTimes(1)
    const logged = once(incident, 'logged')
    log.info('n')
    expect(await logged).toMatchObject([{ message: 'n' }])
  })

  it('takes infos from any stream of objects', async () => {
    const incident = transport()
    const source = new PassThrough({ objectMode: true })
    source.pipe(incident)
    source.write({ level: 'warn', message: 'm' })
    await new Promise(setImmediate)
    expect(eventsOf(incident.recorder)).toMatchObject([{ severity: 13, message: 'm' }])
  })

  it('never holds up the logger, nor refuses after its end', () => {
    const { incident } = rig()
    for (let i = 0; i < 100; i++) expect(incident.write({ level: 'info', message: 'm' })).toBe(true)
    incident.end()
    expect(incident.write({ level: 'info', message: 'm' })).toBe(true)
    expect(() => incident.write(false)).not.toThrow()
  })

  it('may be shared by many loggers without a warning', () => {
    const warned = jest.spyOn(process, 'emitWarning')
    const incident = transport()
    for (let i = 0; i < 20; i++) winston.createLogger({ transports: [incident] })
    expect(warned).not.toHaveBeenCalled()
    warned.mockRestore()
  })

  it('lets stores of the program be seen as they are', () => {
    const storage = new AsyncLocalStorage<number>()
    const seen: unknown[] = []
    const looking = format((info) => {
      seen.push(storage.getStore())
      return info
    })
    const { log } = rig({ format: looking })
    storage.run(7, () => log.info('m'))
    expect(seen).toEqual([7])
  })
})

describe('closing', () => {
  it('by logger.end() leaves a finished file, and finish waits for it', async () => {
    const path = directory()
    const incident = new IncidentTransport({ directory: path })
    const log = winston.createLogger({ transports: [incident] })
    log.error('boom')
    log.info('after')
    const finished = once(log, 'finish')
    log.end()
    await finished
    expect(incidentFiles(path)).toEqual([expect.stringMatching(/\.incident\.flog\.gz$/)])
  })

  it('by logger.close() too', async () => {
    const path = directory()
    const incident = new IncidentTransport({ directory: path })
    const log = winston.createLogger({ transports: [incident] })
    log.error('boom')
    log.close()
    await Promise.resolve()
    await incident.close()
    expect(incidentFiles(path)).toEqual([expect.stringMatching(/\.incident\.flog\.gz$/)])
  })

  it('leaves a recorder that was given to its owner', async () => {
    const recorder = recorderOf()
    const incident = new IncidentTransport({ recorder })
    const log = winston.createLogger({ transports: [incident] })
    const finished = once(log, 'finish')
    log.end()
    await finished
    expect(recorder.capture('still here')).toBeDefined()
  })

  it('may be done twice', async () => {
    const { incident } = rig()
    expect(incident.close()).toBe(incident.close())
    await incident.flush()
  })
})

describe('options', () => {
  it.each<[string, object]>([
    ['recorder', { recorder: {} }],
    ['directory', { recorder: { events: { record() {} } }, directory: 'y' }],
    ['facility', { facility: 7 }],
    ['severities.error', { severities: { error: 'loud' } }],
    ['qualifer', { qualifer: () => true }],
  ])('that cannot be taken are named: %s', (name, options) => {
    expect(() => new IncidentTransport(options as never)).toThrow(
      expect.objectContaining({ code: 'FLOG_OPTION_INVALID', message: expect.stringContaining(name) }),
    )
  })

  it('name levels that the logger has', () => {
    const incident = transport({ severities: { loud: 'error' } })
    expect(() => winston.createLogger({ transports: [incident] })).toThrow(/loud/)
  })
})
