import { writeSync } from 'node:fs'

/** Runs the command in this process, and says on standard error what it took: MiB of memory at most, ms of processor. */
process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  writeSync(2, `${JSON.stringify({ mebibytes: maxRSS / 1024, cpu: (userCPUTime + systemCPUTime) / 1000 })}\n`)
})
require('../../flog/main')
