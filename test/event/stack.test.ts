import { isOwnFrame, ownFrame } from '../../src/event/stack'

test.each([
  ['    at Pool.take (/srv/shop/src/pool.js:88:13)', 'Pool.take (pool.js:88)'],
  ['    at async file:///srv/shop/main.mjs:3:1', 'main.mjs:3'],
  ['    at take (C:\\srv\\shop\\pool.js:31:7)', 'take (pool.js:31)'],
  ['    at /srv/shop/a b/main.js:7:1', '/srv/shop/a main.js:7'],
])('of %j is shown %j', (line, shown) => {
  expect(ownFrame(`Error: no connection\n    at node:internal/timers:581:17\n${line}`)).toBe(shown)
})

test.each([
  '    at listOnTimeout (node:internal/timers:581:17)',
  '    at take (/srv/shop/node_modules/pg/lib/client.js:1:1)',
  '    at new Promise (<anonymous>)',
  '    at Array.map (native)',
  'Error: at home',
])('%j is not of the program', (line) => {
  expect(isOwnFrame(line)).toBe(false)
  expect(ownFrame(line)).toBeUndefined()
})
