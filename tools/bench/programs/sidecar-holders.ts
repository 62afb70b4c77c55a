import { connect, resolveLogport } from '../../../src/remote'

/** Opens so many tails, takes one event of each and nothing more; prints a line then, and ends with its standard input. */
async function main(logport: string, subscribers: number): Promise<void> {
  const url = await resolveLogport(logport)
  const remotes = await Promise.all(Array.from({ length: subscribers }, () => connect(url)))
  const tails = remotes.map((remote) =>
    remote.tail({ severity: 'trace', catchUp: true })[Symbol.asyncIterator](),
  )
  await Promise.all(tails.map((tail) => tail.next()))
  process.stdout.write('holding\n')
  process.stdin.resume().on('end', () => process.exit(0))
}

void main(process.argv[2] ?? '', Number(process.argv[3]))
