import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'

/** One fresh process: so many bytes to a new file, and to another one with fsync. */
async function main(): Promise<void> {
  const bytes = Buffer.alloc(Number(process.argv[2]), 'payment failed: no connection within 5000 ms ')
  const directory = mkdtempSync(join(tmpdir(), 'flog-bench-'))
  await new Promise((resolve) => setTimeout(resolve, 300))
  const write = written(join(directory, 'written'), bytes, false)
  const durable = written(join(directory, 'durable'), bytes, true)
  rmSync(directory, { recursive: true, force: true })
  process.stdout.write(`${JSON.stringify({ write, durable })}\n`)
}

function written(path: string, bytes: Buffer, sync: boolean): number {
  const start = performance.now()
  const file = openSync(path, 'wx', 0o600)
  let done = 0
  while (done < bytes.length) done += writeSync(file, bytes, done)
  if (sync) fsyncSync(file)
  const took = performance.now() - start
  closeSync(file)
  return took
}

void main()
