import { join } from 'node:path'
import { mainJob } from './main-job'

/** `npm run main-job`: breaks a real service under load, and reads from another process what led up to it. */
async function main(): Promise<void> {
  const say = (line: string) => process.stdout.write(`${line}\n`)
  const dist = join(__dirname, '../..')
  const { listed, dump, verified } = await mainJob({ dist, healthyMs: 3000, clients: 64, say })
  say(verified.trim())
  const [first] = listed
  say(`${String(first?.['id'])}: ${dump.length - 2} events before and after the trigger; around it:`)
  const at = dump.findIndex((line) => line['trigger'] === true)
  for (const line of dump.slice(Math.max(1, at - 12), at + 4)) {
    const { time, severity, facility, message, trigger } = line
    say(
      `  ${String(time)} ${String(severity).padEnd(5)} ${String(facility).padEnd(12)} ${String(message)}${trigger === true ? '  ◀ trigger' : ''}`,
    )
  }
  if (at < 0) process.exitCode = 1
}

void main()
