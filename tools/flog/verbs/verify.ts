import { type ExitCode, JSON_OPTION, MAX_SIZE_OPTION, readLimit, type Verb } from '../verb'

interface VerifyOptions {
  readonly json?: true
}

export const verify: Verb<VerifyOptions> = {
  name: 'verify',
  args: '<file...>',
  summary: 'check incident files: checksums, lengths, and that nothing is missing',
  options: [JSON_OPTION, MAX_SIZE_OPTION],
  examples: [
    { command: 'flog verify incidents/*', does: 'a line for each file' },
    { command: "flog verify --json FILE | jq '.damage'", does: 'what is wrong, and where' },
  ],
  notes: `Values that look like secrets (tokens, keys, passwords in URLs, fields named like secrets) are pointed out, with how to
take them out; never the values themselves.

Exit code: 0 every file is whole or still open; 1 one is truncated, damaged or unreadable. Secrets do not change it.`,
  async run({ args, options, io }): Promise<ExitCode> {
    const { verifyIncidentFile } =
      require('../../../src/incident/verify') as typeof import('../../../src/incident/verify')
    const { verdictJson } = require('../show/event-json') as typeof import('../show/event-json')
    const { verdictLine } = require('../show/incident-text') as typeof import('../show/incident-text')
    const { escapeLine } = require('../terminal') as typeof import('../terminal')
    const { SecretFinder } =
      require('../../../src/query/secrets') as typeof import('../../../src/query/secrets')
    const { secretsNote } = require('../verify/secrets-note') as typeof import('../verify/secrets-note')
    const { eachFile } = require('../each-file') as typeof import('../each-file')
    return eachFile(args, io, async (path) => {
      const secrets = new SecretFinder()
      const checked = await verifyIncidentFile(path, {
        signal: io.signal,
        ...readLimit(io),
        onPart: (part) => secrets.take(part),
      })
      const { verdict, header } = checked
      if (options.json) {
        const { sha256 } = checked
        io.out.line(
          JSON.stringify({
            file: path,
            id: header?.id ?? null,
            ...verdictJson(verdict),
            sha256: sha256 ?? null,
            secrets: secrets.findings(),
          }),
        )
      } else {
        io.out.line(`${escapeLine(path)}: ${verdictLine(verdict, io.style, header)}`)
        for (const damage of verdict.damage)
          io.out.line(`  at ${damage.offset}: ${escapeLine(damage.message)}`)
        for (const line of secretsNote(path, secrets.findings(), io.style)) io.out.line(line)
      }
      await io.out.flush()
      return verdict.state === 'whole' || verdict.state === 'open'
    })
  },
}
