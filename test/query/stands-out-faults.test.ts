import { readIncidentFile } from '../../src/incident/reader'
import { collectRecording } from '../../src/query/recording'
import { type Finding, whatStandsOut } from '../../src/query/stands-out'
import { allLines, startProgram } from '../incident/programs'
import { temporaryDirectory } from '../incident/samples'

const directory = temporaryDirectory()
const SEEDS = Array.from({ length: 20 }, (_, n) => n + 1)

interface Answer {
  readonly options: { readonly seed: number; readonly fault?: string }
  readonly path: string
}

/** What stands out in recordings of the shop, one of each of the options. */
async function shops(
  options: readonly object[],
): Promise<readonly { readonly found: readonly Finding[]; readonly seed: number }[]> {
  const program = startProgram('shop', directory.path, ...options.map((each) => JSON.stringify(each)))
  const answers = await allLines<Answer>(program)
  return Promise.all(
    answers.map(async ({ options: { seed }, path }) => ({
      seed,
      found: whatStandsOut(await collectRecording(readIncidentFile(path))),
    })),
  )
}

/** What somebody has to read to know what it was, each on one line. */
const CAUSES = [
  ['leaked-pool', /db\.pool: "lease not returned" first seen .*route=\/refund in (\d+) of \1/],
  ['slow-dependency', /payment: time .*\d s for|payment: "provider did not answer" first seen/],
  ['bad-configuration', /host=pay\.intern in (\d+) of \d+|"configuration \{revision\} loaded"/],
  ['poison-message', /jobId=j-4711 in (\d+) of \1/],
  ['stall', /nothing logged for 2\.8 s .*event loop up to 2\.8 s late/],
] as const

test.each(CAUSES)(
  '%s: the cause is within the first three',
  async (fault, cause) => {
    const all = await shops([
      { fault, seed: 1 },
      { fault, seed: 3, rate: 15, seconds: 90, onset: 50 },
    ])
    expect(all).toHaveLength(2)
    for (const { seed, found } of all) {
      const firstThree = found
        .slice(0, 3)
        .map(({ text }) => text)
        .join('\n')
      expect({ seed, firstThree }).toEqual({ seed, firstThree: expect.stringMatching(cause) })
    }
  },
  60_000,
)

test('of twenty recordings of a healthy shop, nothing stands out in eighteen', async () => {
  const all = await shops(SEEDS.map((seed) => ({ seed })))
  const loud = all.filter(({ found }) => found.length > 0)
  expect(all).toHaveLength(20)
  expect(loud.length <= 2 ? [] : loud).toEqual([])
}, 120_000)
