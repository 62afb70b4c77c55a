import { ambientUses } from '../../../tools/check/ambient'

test.each([
  'const now = Date.now()',
  'const now = new Date()',
  'const clock = Date.now',
  'setTimeout(action, 10)',
  'const timer = setInterval(action, 10)',
  "import { setTimeout as sleep } from 'node:timers/promises'",
  'const start = performance.now()',
  'const start = process.hrtime.bigint()',
  'const luck = Math.random()',
  "import { randomUUID } from 'node:crypto'",
])('reaches past base: %s', (line) => {
  expect(ambientUses(`const before = 1\n${line}\n`)).toEqual([`2: ${line}`])
})

test.each([
  'const text = new Date(ms).toISOString()',
  'if (value instanceof Date) return',
  'await setImmediate()',
  'clock.after(10, action)',
  '// Date.now() would be wrong here',
  'const n = 1 // not Math.random()',
  '/** Like setTimeout, but injected. */',
  "const url = 'https://nodejs.org/'",
])('is fine: %s', (line) => {
  expect(ambientUses(line)).toEqual([])
})

test('comments of several lines are passed over, and lines keep their numbers', () => {
  expect(ambientUses('/**\n * Date.now()\n */\nconst a = Math.random()')).toEqual([
    '4: const a = Math.random()',
  ])
})
