import fc from 'fast-check'
import winston from 'winston'
import { closeAll, countOf, eventsOf, Sibling, transport } from './rig'

afterEach(closeAll)

type Info = winston.Logform.TransformableInfo

/** What formats do: nothing, make a new info, use one for all, log something themselves. */
const formats: Record<string, (talk: (n: unknown) => void) => (info: Info) => Info> = {
  none: () => (info) => info,
  copying: () => (info) => ({ ...info, copied: true }),
  reusing: () => {
    const one = {} as Info
    return (info) => {
      for (const key of Object.keys(one)) delete one[key]
      return Object.assign(one, info)
    }
  },
  talking: (talk) => (info) => {
    if (info['talk'] !== undefined) talk(info['talk'])
    return info
  },
}

type Step = 'log' | 'log from a child' | 'talk' | 'log the same' | 'turn' | { readonly release: number }

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<Step>('log', 'log from a child', 'talk', 'log the same') },
    { weight: 1, arbitrary: fc.nat(40).map((release): Step => ({ release })) },
    { weight: 1, arbitrary: fc.constant<Step>('turn') },
  ),
  { maxLength: 100, size: 'max' },
)

/** A logger whose sibling transport takes infos only when it is told to. */
function slowLogger(name: string) {
  const waiting: (() => void)[] = []
  const sibling = new Sibling((next) => waiting.push(next))
  const incident = transport()
  const talked = new Set<unknown>()
  // Behind a slow sibling a format sees an info twice.
  const talk = (n: unknown) => {
    if (!talked.has(n)) log.info('event', { n })
    talked.add(n)
  }
  const transform = formats[name]?.(talk) ?? ((info: Info) => info)
  const format = winston.format((info: Info) => transform(info))()
  const log: winston.Logger = winston.createLogger({ format, transports: [sibling, incident] })
  const release = (count: number) => {
    for (const next of waiting.splice(0, count)) next()
  }
  const settle = async (events: number) => {
    while (sibling.seen.length < events) {
      release(1000)
      await new Promise(setImmediate)
    }
  }
  return { log, incident, release, settle }
}

it.each(Object.keys(formats))(
  'whatever the sibling does, each event is recorded once, in its call, in order: formats %s',
  async (name) => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const { log, incident, release, settle } = slowLogger(name)
        const numbers = () => eventsOf(incident.recorder).map((event) => event.fields['n'])
        const same = new Error('the same')
        let n = 0
        let repeated = 0
        for (const step of script) {
          if (step === 'log') log.info('event', { n: n++ })
          else if (step === 'log from a child') log.child({ n: n++ }).info('event')
          else if (step === 'talk') log.info('event', name === 'talking' ? { n: n++, talk: n++ } : { n: n++ })
          else if (step === 'log the same') {
            repeated++
            log.error(same)
          } else if (step === 'turn') await new Promise(setImmediate)
          else release(step.release)
          expect(countOf(incident.recorder)).toBe(n + repeated)
        }
        await settle(n + repeated)
        const expected = Array.from({ length: n }, (_, i) => i)
        expect(numbers().filter((number) => number !== undefined)).toEqual(expected)
        expect(numbers()).toHaveLength(n + repeated)
        await closeAll()
      }),
      { numRuns: 20 },
    )
  },
)
