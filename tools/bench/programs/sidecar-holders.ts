import { connect, type Remote, resolveLogport } from '../../../src/remote'

/** Opens so many tails, takes one event of each and nothing more; prints a line then, and ends with its standard input. */
async function main(logport: string, subscribers: number): Promise<void> {
  const url = await resolveLogport(logport)
  const remotes: Remote[] = []
  // One after the other: a publisher lets only a few wait to be known at a time.
  for (let i = 0; i < subscribers; i++) remotes.push(await connect(url))
  const tails = remotes.map((remote) =>
    remote.tail({ severity: 'trace', catchUp: true })[Symbol.asyncIterator](),
  )
  await Promise.all(tails.map((tail) => tail.next()))
  process.stdout.write('holding\n')
  process.stdin.resume().on('end', () => process.exit(0))
}

void main(process.argv[2] ?? '', Number(process.argv[3]))
