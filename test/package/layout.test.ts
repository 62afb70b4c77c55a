import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { sourceFiles } from '../../tools/check/sources'

const ROOT = join(__dirname, '../..')

/** Sources that have no test file of their own, because they are parts of something that is tested as a whole: here. */
const TESTED_BY: Readonly<Record<string, readonly string[]>> = {
  'test/collector/store/database.test.ts': [
    'src/collector/store/channels.ts',
    'src/collector/store/connections.ts',
    'src/collector/store/driver.ts',
    'src/collector/store/pooled.ts',
    'src/collector/store/values.ts',
  ],
  'test/collector/store/postgres.test.ts': ['src/collector/store/dialect.ts'],
  'test/base/directory-lock.test.ts': ['src/base/doorbell.ts'],
  'test/collector/store/embedded/open.test.ts': [
    'src/collector/store/embedded/backend.ts',
    'src/collector/store/embedded/stream.ts',
    'src/collector/store/embedded/thread.ts',
  ],
  'test/codec/encoder.test.ts': [
    'src/codec/flat.ts',
    'src/codec/tags.ts',
    'src/codec/values.ts',
    'src/codec/writer.ts',
  ],
  'test/incident/parser.test.ts': [
    'src/incident/blocks.ts',
    'src/incident/damage.ts',
    'src/incident/engine.ts',
    'src/incident/input.ts',
    'src/incident/members.ts',
    'src/incident/node-engine.ts',
    'src/incident/opening.ts',
    'src/incident/parts.ts',
    'src/incident/shape.ts',
  ],
  'test/incident/block.test.ts': ['src/incident/layout.ts'],
  'test/incident/adopt.test.ts': ['src/incident/standstill.ts'],
  'test/incident/black-box/black-box.test.ts': [
    'src/incident/black-box/guard.ts',
    'src/incident/black-box/spool-file.ts',
  ],
  'test/incident/black-box/recover.test.ts': [
    'src/incident/black-box/image.ts',
    'src/incident/black-box/read.ts',
  ],
  'test/incident/black-box/superblock.test.ts': ['src/incident/black-box/layout.ts'],
  'test/incident/gzip.test.ts': ['src/incident/member.ts'],
  'test/incident/listing.test.ts': ['src/incident/entries.ts'],
  'test/incident/salvage.test.ts': ['src/incident/repacked.ts'],
  'test/incident/qualifiers/rate.test.ts': ['src/incident/qualifiers/options.ts'],
  'test/foolscap/reader.test.ts': [
    'src/foolscap/event.ts',
    'src/foolscap/failure.ts',
    'src/foolscap/header.ts',
    'src/foolscap/levels.ts',
    'src/foolscap/lines.ts',
    'src/foolscap/message.ts',
    'src/foolscap/parser.ts',
    'src/foolscap/plain.ts',
    'src/foolscap/records.ts',
  ],
  'test/foolscap/bzip2.test.ts': [
    'src/foolscap/bits.ts',
    'src/foolscap/bzip2-block.ts',
    'src/foolscap/bzip2-crc.ts',
  ],
  'test/foolscap/import.test.ts': ['src/foolscap/fitted.ts'],
  'test/foolscap/percent.test.ts': ['src/foolscap/python.ts'],
  'test/ring/ring.test.ts': ['src/ring/layout.ts'],
  'test/remote/publisher.test.ts': ['src/remote/client.ts'],
  'test/remote/listener.test.ts': ['src/remote/authenticate.ts', 'src/remote/websocket.ts'],
  'test/remote/dial-out.test.ts': ['src/remote/accept.ts'],
  'test/remote/serve.test.ts': ['src/remote/outgoing.ts', 'src/remote/shapes.ts'],
  'test/remote/fetch.test.ts': ['src/remote/download.ts', 'src/remote/serve-fetch.ts'],
  'test/remote/incidents.test.ts': ['src/remote/serve-incidents.ts'],
  'test/remote/connection.test.ts': ['src/base/pause.ts'],
  'test/event/redact.test.ts': ['src/base/secret-names.ts'],
  'test/remote/keys.test.ts': ['src/remote/private-file.ts'],
  'test/recorder/reports.test.ts': ['src/incident/new-header.ts'],
  'test/recorder/incidents.test.ts': ['src/recorder/incident.ts'],
  'test/recorder/warm-up.test.ts': ['src/recorder/rehearsal.ts'],
  'test/sidecar/handle.test.ts': ['src/recorder/elsewhere.ts', 'src/recorder/second-thread.ts'],
  'test/sidecar/publishers.test.ts': ['src/remote/publish-process.ts', 'src/sidecar/publisher-elsewhere.ts'],
  'test/sidecar/stall.test.ts': ['src/sidecar/reports.ts'],
  'test/sidecar/thread.test.ts': ['src/sidecar/main.ts', 'src/sidecar/setup.ts'],
  'test/ring/set.test.ts': ['src/ring/state.ts'],
  'test/recorder/disk-trouble.test.ts': ['src/incident/finisher.ts'],
  'test/incident/rewrite.test.ts': ['src/incident/event-blocks.ts', 'src/incident/new-file.ts'],
  'test/query/filter.test.ts': [
    'src/query/filter/errors.ts',
    'src/query/filter/invalid.ts',
    'src/query/filter/keywords.ts',
    'src/query/filter/lexer.ts',
    'src/query/filter/moment.ts',
    'src/query/filter/operators.ts',
    'src/query/filter/parser.ts',
    'src/query/filter/subject.ts',
    'src/query/filter/terms.ts',
    'src/query/filter/values.ts',
  ],
  'test/query/stands-out/errors.test.ts': ['src/query/stands-out/coverage.ts'],
  'test/query/stands-out.test.ts': [
    'src/query/stands-out/finding.ts',
    'src/query/stands-out/history.ts',
    'src/query/stands-out/merge.ts',
  ],
  'test/query/scrub.test.ts': ['src/query/scrub/values.ts'],
  'test/browser/page.test.ts': ['src/viewer/page-html.ts'],
  'test/browser/served.test.ts': ['src/viewer/file-source.ts', 'src/viewer/live-source.ts'],
  'test/viewer/server.test.ts': ['src/viewer/access.ts'],
  'test/collector/process/schedule.test.ts': ['src/collector/process/cron.ts'],
  'test/specs/background-process/items.test.ts': [
    'src/collector/process/budget.ts',
    'src/collector/process/gone-error.ts',
    'src/collector/process/item-run.ts',
    'src/collector/process/item-signal.ts',
    'src/collector/process/items.ts',
    'src/collector/process/run-items.ts',
    'src/collector/process/states.ts',
    'src/collector/store/storable.ts',
  ],
  'test/specs/background-process/runs.test.ts': [
    'src/collector/process/look.ts',
    'src/collector/process/owner.ts',
    'src/collector/process/rows.ts',
    'src/collector/process/run.ts',
    'src/collector/process/runs.ts',
    'src/collector/process/time.ts',
  ],
  'test/specs/background-process/operating.test.ts': [
    'src/collector/process/definition.ts',
    'src/collector/process/processes.ts',
    'src/collector/process/scheduler.ts',
    'src/collector/process/stats.ts',
    'src/collector/process/views.ts',
  ],
  'test/transports/lines/assembler.test.ts': [
    'src/transports/lines/event.ts',
    'src/transports/lines/splitter.ts',
    'src/transports/lines/trace.ts',
  ],
  'test/transports/lines/plain.test.ts': [
    'src/transports/lines/colour.ts',
    'src/transports/lines/logfmt.ts',
    'src/transports/lines/time.ts',
    'src/transports/lines/words.ts',
  ],
  'test/transports/winston/transport.test.ts': [
    'src/transports/winston/error.ts',
    'src/transports/winston/finish-listeners.ts',
    'src/transports/winston/logger.ts',
    'src/transports/winston/options.ts',
    'src/transports/winston/tap.ts',
  ],
  'test/specs/dependency-engine/parts.test.ts': [
    'src/collector/engine/engine.ts',
    'src/collector/engine/errors.ts',
    'src/collector/engine/graph.ts',
    'src/collector/engine/install.ts',
    'src/collector/engine/part.ts',
    'src/collector/engine/roster.ts',
    'src/collector/engine/snapshot.ts',
  ],
  'test/specs/dependency-engine/restarts.test.ts': [
    'src/collector/engine/loop.ts',
    'src/collector/engine/machine.ts',
  ],
  'test/specs/dependency-engine/end.test.ts': [
    'src/collector/engine/run.ts',
    'src/collector/engine/shutdown.ts',
  ],
  'test/specs/dependency-engine/catacomb.test.ts': ['src/collector/engine/catacomb.ts'],
  'test/specs/dependency-engine/runner.test.ts': ['src/collector/engine/runner.ts'],
  'test/specs/dependency-engine/misbehaviour.test.ts': [
    'src/collector/engine/declaration.ts',
    'src/collector/engine/promised.ts',
  ],
  'test/specs/dependency-engine/backoff.test.ts': [
    'src/collector/engine/backoff.ts',
    'src/collector/engine/config.ts',
    'src/collector/engine/record.ts',
  ],
  'test/specs/dependency-engine/decisions.test.ts': ['src/collector/engine/judge.ts'],
  'test/specs/dependency-engine/report.test.ts': [
    'src/collector/engine/dot.ts',
    'src/collector/engine/events.ts',
    'src/collector/engine/journal.ts',
    'src/collector/engine/report.ts',
    'src/collector/engine/self.ts',
    'src/collector/engine/workers.ts',
  ],
  'test/specs/dependency-engine/conditions.test.ts': [
    'src/collector/engine/flag.ts',
    'src/collector/engine/fortress.ts',
    'src/collector/engine/housing.ts',
  ],
  'test/specs/session-and-work/backoff.test.ts': [
    'src/collector/lease/backoff.ts',
    'src/collector/lease/processes.ts',
    'src/collector/lease/rate-limit.ts',
    'src/collector/lease/work-state.ts',
  ],
  'test/specs/session-and-work/control-loop.test.ts': [
    'src/collector/lease/control-loop.ts',
    'src/collector/lease/janitor.ts',
    'src/collector/lease/notifier.ts',
    'src/collector/lease/waiter.ts',
  ],
  'test/specs/session-and-work/sessions.test.ts': [
    'src/collector/lease/heartbeat.ts',
    'src/collector/lease/metrics.ts',
    'src/collector/lease/session-row.ts',
    'src/collector/lease/session.ts',
    'src/collector/lease/timeout.ts',
  ],
  'test/specs/session-and-work/interrupted.test.ts': ['src/collector/lease/strays.ts'],
  'test/specs/session-and-work/trouble.test.ts': [
    'src/collector/lease/admin.ts',
    'src/collector/lease/generations.ts',
    'src/collector/lease/reaper.ts',
    'src/collector/lease/retention.ts',
    'src/collector/lease/stats.ts',
  ],
  'test/specs/session-and-work/work.test.ts': [
    'src/collector/lease/claim-sql.ts',
    'src/collector/lease/claim.ts',
    'src/collector/lease/settle.ts',
    'src/collector/lease/subjects.ts',
    'src/collector/lease/work.ts',
  ],
  'test/specs/error-kernel/reporting.test.ts': [
    'src/collector/kernel/event.ts',
    'src/collector/kernel/kernel.ts',
    'src/collector/kernel/lanes.ts',
    'src/collector/kernel/local-log.ts',
    'src/collector/kernel/metrics.ts',
    'src/collector/kernel/options.ts',
  ],
  'test/specs/error-kernel/deciding.test.ts': [
    'src/collector/kernel/ask.ts',
    'src/collector/kernel/decider.ts',
    'src/collector/kernel/fingerprint.ts',
    'src/collector/kernel/states.ts',
    'src/collector/kernel/window.ts',
  ],
  'test/specs/error-kernel/forwarding.test.ts': [
    'src/collector/kernel/folding.ts',
    'src/collector/kernel/forward-queue.ts',
    'src/collector/kernel/forwarder.ts',
    'src/collector/kernel/sinks.ts',
  ],
  'test/specs/error-kernel/spool.test.ts': [
    'src/collector/kernel/gathered-rows.ts',
    'src/collector/kernel/safe-spool.ts',
    'src/collector/kernel/segment.ts',
    'src/collector/kernel/spool-lines.ts',
    'src/collector/kernel/spool.ts',
  ],
  'test/specs/error-kernel/central.test.ts': ['src/collector/kernel/central-log.ts'],
  'test/specs/error-kernel/with-engine.test.ts': ['src/collector/kernel/part-errors.ts'],
  'test/specs/error-kernel/process.test.ts': ['src/collector/kernel/process-errors.ts'],
}

/** Runs in a browser, and is tested in one. */
const IN_BROWSER = /^src\/viewer\/page\//

/** Tests of something that several sources have in common. */
const TOPICS: readonly string[] = [
  'test/codec/format.test.ts',
  'test/codec/redaction.test.ts',
  'test/foolscap/damage.test.ts',
  'test/incident/format.test.ts',
  'test/recorder/disk-trouble.test.ts',
  'test/recorder/process-end.test.ts',
  'test/recorder/qualifying.test.ts',
  'test/query/stands-out-faults.test.ts',
  'test/foolscap/damage.test.ts',
  'test/remote/hostile-publisher.test.ts',
  'test/remote/hostile-subscriber.test.ts',
  'test/remote/hosting.test.ts',
  'test/ring/reader-start.test.ts',
  'test/transports/winston/programs.test.ts',
]

/** Only types, constants, or re-exports: nothing that could be wrong by itself. */
function hasNothingToTest(source: string): boolean {
  return !/\bfunction\b|=>|\bclass\b/.test(source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''))
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

const sources = sourceFiles(ROOT, ['src', 'tools'])

test('files are short enough to be read in one go', () => {
  const long = sources.filter((path) => read(path).split('\n').length > 401)
  expect(long).toEqual([])
})

test('each source has its test where one looks for it', () => {
  const elsewhere = new Set(Object.values(TESTED_BY).flat())
  const missing = sourceFiles(ROOT, ['src']).filter((path) => {
    if (elsewhere.has(path) || IN_BROWSER.test(path) || hasNothingToTest(read(path))) return false
    return !existsSync(join(ROOT, path.replace(/^src\/(.*)\.ts$/, 'test/$1.test.ts')))
  })
  expect(missing).toEqual([])
})

test('the lists of exceptions name files that are there', () => {
  const named = [...Object.entries(TESTED_BY).flat(2), ...TOPICS]
  expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
})

test('each test of a source has a source', () => {
  const layers = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  )
  const tests = sourceFiles(
    ROOT,
    layers.map(({ name }) => `test/${name}`),
  ).filter((path) => path.endsWith('.test.ts'))
  const orphans = tests.filter((path) => {
    const source = path.replace(/^test\/(.*)\.test\.ts$/, 'src/$1.ts')
    return (
      !TOPICS.includes(path) &&
      !existsSync(join(ROOT, source)) &&
      !existsSync(join(ROOT, source.replace(/\.ts$/, '')))
    )
  })
  expect(orphans).toEqual([])
})

test('entry points only re-export', () => {
  for (const path of sources.filter((source) => /^src\/[^/]+\.ts$/.test(source))) {
    const statements = read(path)
      .replace(/\/\*[\s\S]*?\*\//g, '')
      .replace(/export (?:type )?\{[^}]*\} from '[^']*'\n|export \* from '[^']*'\n/g, '')
    expect({ path, rest: statements.trim() }).toEqual({ path, rest: '' })
  }
})

test('nothing names the machine it was written on', () => {
  const machine = [ROOT, homedir(), hostname()].filter((name) => name.length > 5)
  const pages = [
    'README.md',
    'CHANGELOG.md',
    'SECURITY.md',
    'src/README.md',
    'package.json',
    'package-lock.json',
    '.ci/run',
  ]
  const paths = [...sources, ...sourceFiles(ROOT, ['test', 'fixtures']), ...pages]
  const leaks = paths.filter((path) => machine.some((name) => read(path).includes(name)))
  expect(leaks).toEqual([])
})
