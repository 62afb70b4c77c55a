import { type ExitCode, JSON_OPTION, MAX_SIZE_OPTION, type Verb } from '../verb'

interface ClassifyOptions {
  readonly json?: true
  readonly rules?: readonly string[]
}

export const classify: Verb<ClassifyOptions> = {
  name: 'classify',
  args: '[file-or-dir...]',
  summary: 'say what kind of incident each file is, by rules of yours',
  options: [
    { flags: '-r, --rules <file...>', help: 'rules in YAML (.yaml, .yml), or modules (.js, .cjs, .mjs)' },
    JSON_OPTION,
    MAX_SIZE_OPTION,
  ],
  examples: [
    { command: 'flog classify ./incidents', does: 'everything is unknown yet: prints rules to begin with' },
    { command: 'flog classify ./incidents --rules rules.yaml', does: 'a line for each: its categories' },
    { command: 'flog incidents ./incidents --group -r rules.yaml', does: 'how often each kind came up' },
  ],
  notes: `A rule gives its category where all that it says is so:
  rules:
    - category: pool exhausted
      trigger: facility:db.pool error:TimeoutError   # the event that began the incident
      fields: { code: [ETIMEDOUT, /^ESOCKET/], shard: 3 }   # its fields
      any: message:"too many connections"            # some event; several in a list: each of them
      none: severity>=fatal                          # no event
      sequence:                                      # one after the other
        - message:"leak suspected"
        - { event: facility:db.pool severity>=warn, within: 30s }
      fingerprint: 4f1c2a9d03b7e586                  # also kind: stall, service: shop
Each may be left out; quote what YAML would take for something else. A module exports a function that is given the
recording, { header, trailer, events: [{ event, mark }] }, and returns a category, a list of them, or nothing.

Nothing is kept, and no file is changed. What no rule knows is printed last, as rules in which only the name is missing.

Exit code: 0 fine, also where incidents are unknown; 1 a rule is broken, or a file damaged or unreadable: the others count.`,
  async run({ args, options, io }): Promise<ExitCode> {
    const { classifyFiles } =
      require('../classify/classify-files') as typeof import('../classify/classify-files')
    return classifyFiles(args, { json: options.json === true, rules: options.rules ?? [] }, io)
  },
}
