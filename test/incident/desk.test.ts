import { Worker } from 'node:worker_threads'
import { arbitrate, evict, ReportDesk, release, releaseSteps } from '../../src/incident/desk'
import {
  death,
  ending,
  everyOrder,
  inTurn,
  mortal,
  nothingIsLost,
  ownerEnds,
  stepping,
  taking,
  trigger,
} from './desk-model'

test('two threads that qualify at once: in every order both events are in a file, and one at a time has the desk', () => {
  const states = everyOrder(
    (world) => [trigger(world, 1, 10), trigger(world, 2, 20)],
    nothingIsLost({ 10: 1, 20: 2 }),
  )
  expect(states).toBeGreaterThan(50)
})

test('a trigger beside an owner that ends its report: in every order it is in a file', () => {
  const states = everyOrder(
    (world) => {
      world.desk.claim(9)
      world.desk.note(5)
      return [ownerEnds(world, 9, 5), trigger(world, 1, 10)]
    },
    nothingIsLost({ 10: 1 }),
  )
  expect(states).toBeGreaterThan(20)
})

test('two triggers beside an owner that ends its report: in every order both are in a file', () => {
  const states = everyOrder(
    (world) => {
      world.desk.claim(9)
      world.desk.note(5)
      return [ownerEnds(world, 9, 5), trigger(world, 1, 10), trigger(world, 2, 20)]
    },
    nothingIsLost({ 10: 1, 20: 2 }),
  )
  expect(states).toBeGreaterThan(1000)
})

test('an owner that ends its report and then is closed: in every order the next one is left alone', () => {
  const states = everyOrder(
    (world) => {
      world.desk.claim(9)
      world.desk.note(5)
      const twice = [releaseSteps(world.desk, 9), releaseSteps(world.desk, 9)].map(stepping)
      return [inTurn(twice), trigger(world, 1, 10)]
    },
    nothingIsLost({ 10: 1 }),
  )
  expect(states).toBeGreaterThan(50)
})

describe('a thread that dies', () => {
  test('while it qualifies: at every point and in every order, another one’s event is in a file', () => {
    const states = everyOrder(
      (world) => [mortal(world, 2, trigger(world, 2, 20)), death(world, 2), trigger(world, 1, 10)],
      nothingIsLost({ 10: 1, 20: 2 }),
    )
    expect(states).toBeGreaterThan(1000)
  })

  test('beside an owner that ends its report: in every order it takes no place with it', () => {
    const states = everyOrder(
      (world) => {
        world.desk.claim(9)
        world.desk.note(5)
        return [ownerEnds(world, 9, 5), mortal(world, 2, trigger(world, 2, 20)), death(world, 2)]
      },
      nothingIsLost({ 20: 2 }),
    )
    expect(states).toBeGreaterThan(300)
  })

  test('over its report: in every order what was handed to it is in a file', () => {
    const states = everyOrder(
      (world) => {
        world.desk.claim(9)
        world.desk.note(5)
        return [mortal(world, 9, ownerEnds(world, 9, 5)), death(world, 9), trigger(world, 1, 10)]
      },
      nothingIsLost({ 10: 1 }),
    )
    expect(states).toBeGreaterThan(500)
  })

  test('over its report, and two others qualify: in every order both events are in a file', () => {
    const states = everyOrder(
      (world) => {
        world.desk.claim(9)
        world.desk.note(5)
        return [
          mortal(world, 9, taking(world)),
          death(world, 9),
          trigger(world, 1, 10),
          trigger(world, 2, 20),
        ]
      },
      nothingIsLost({ 10: 1, 20: 2 }),
    )
    expect(states).toBeGreaterThan(10_000)
  })

  test('and is started again with the same number: in every order the new one is not taken for the old one', () => {
    const states = everyOrder(
      (world) => {
        world.desk.claim(9)
        world.desk.note(5)
        const again = trigger(world, 9, 90)
        return [mortal(world, 9, ownerEnds(world, 9, 5)), death(world, 9, again), trigger(world, 1, 10)]
      },
      nothingIsLost({ 10: 1, 90: 99 }),
    )
    expect(states).toBeGreaterThan(1000)
  })
})

test('a process that ends while an owner reports and another thread qualifies: in every order it is in a file', () => {
  const states = everyOrder(
    (world) => {
      world.desk.claim(9)
      world.desk.note(5)
      return [ownerEnds(world, 9, 5), ending(world, 3), trigger(world, 1, 10)]
    },
    nothingIsLost({ 10: 1 }),
  )
  expect(states).toBeGreaterThan(100)
})

test('who ends the process goes on as soon as the report of another thread is complete, or its thread dead', () => {
  const desk = new ReportDesk()
  desk.end(1, 10_000)
  desk.claim(1)
  desk.end(1, 10_000)
  release(desk, 1)
  desk.claim(2)
  const began = performance.now()
  desk.end(1, 20)
  expect(performance.now() - began).toBeGreaterThan(15)
  evict(desk, 2)
  desk.end(1, 10_000)
  expect(desk.isEnding).toBe(true)
})

test('who finds more waiting than there are places writes a file of its own', () => {
  const desk = new ReportDesk()
  desk.claim(9)
  for (let i = 0; i < 16; i++) expect(desk.reserve(2)).toBe(i)
  expect(arbitrate(desk, 1, 99, 1)).toBe('alone')
})

test('an owner that does not look gets the time it was given, not more', () => {
  const desk = new ReportDesk()
  desk.claim(9)
  expect(arbitrate(desk, 1, 5, 5)).toBe('alone')
  expect(desk.take()).toBeUndefined()
})

test('an owner in another thread takes the event while the caller waits', async () => {
  const desk = new ReportDesk()
  desk.claim(2)
  desk.note(7)
  // The states of slots, as the desk lays them out, are not known here: the thread uses the desk's own steps on built code.
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads')
     const { ReportDesk } = require(workerData.desk)
     const desk = new ReportDesk(workerData.memory)
     parentPort.postMessage('ready')
     for (;;) {
       const handed = desk.take()
       if (handed === undefined) continue
       desk.done(handed.slot)
       parentPort.postMessage(handed.seq)
       break
     }`,
    {
      eval: true,
      workerData: { memory: desk.memory, desk: require.resolve('../../dist/src/incident/desk.js') },
    },
  )
  await new Promise((resolve) => worker.once('message', resolve))
  const told = new Promise((resolve) => worker.once('message', resolve))
  expect(desk.number).toBe(7)
  expect(arbitrate(desk, 1, 4711, 10_000)).toBe('handed over')
  expect(await told).toBe(4711)
  await worker.terminate()
})
