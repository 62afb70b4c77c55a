import { performance } from 'node:perf_hooks'

/** Milliseconds to load winston, and then the transport. */
const start = performance.now()
require('winston')
const between = performance.now()
require('../../../src/winston')
const end = performance.now()
process.stdout.write(`${JSON.stringify({ winston: between - start, flog: end - between })}\n`)
