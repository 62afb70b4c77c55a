/**
 * The import rule: each layer may import itself and what stands before it here, never what stands behind it.
 * `npm run check -- layers` runs it, and fails when it has not seen every source file.
 */
const LAYERS = [
  'src/base',
  'src/event',
  'src/codec',
  'src/ring',
  'src/incident',
  'src/remote',
  'src/sidecar',
  'src/recorder',
  'src/transports',
  'src/viewer',
  'src/collector',
  'tools',
]

/** Libraries that are imported in one place each: the rest of the code does not know which one it is. */
const ONE_PLACE = {
  ws: '^src/remote/websocket\\.ts$',
  chokidar: '^src/incident/watch\\.ts$',
  fflate: '^src/(incident/(gzip|node-engine)|viewer/page/engine)\\.ts$',
  msgpackr: '^src/remote/wire\\.ts$',
  yaml: '^tools/flog/classify/yaml\\.ts$',
  commander: '^tools/flog/program\\.ts$',
  pg: '^src/collector/store/',
  '@electric-sql/pglite': '^src/collector/store/',
  croner: '^src/collector/process/',
  'winston-transport': '^src/transports/winston',
  'triple-beam': '^src/transports/winston',
}

const within = (layer) => `^${layer}/`
const anyOf = (layers) => `^(${layers.join('|')})/`

const oneWay = LAYERS.slice(0, -1).map((layer, index) => ({
  name: `${layer}-imports-downwards`,
  severity: 'error',
  comment: `${layer} imports only itself and ${LAYERS.slice(0, index).join(', ') || 'nothing of ours'}`,
  from: { path: within(layer) },
  to: { path: anyOf(LAYERS.slice(index + 1)) },
}))

const onePlace = Object.entries(ONE_PLACE).map(([library, place]) => ({
  name: `${library}-in-one-place`,
  severity: 'error',
  comment: `${library} is imported in one place only`,
  from: { path: '^(src|tools/flog)/', pathNot: place },
  to: { path: `(^|/)node_modules/(@types/)?${library}/` },
}))

const COLLECTOR_ENGINES = 'src/collector/(engine|kernel|lease|process|store)'

module.exports = {
  forbidden: [
    ...oneWay,
    ...onePlace,
    {
      name: 'query-reads-incidents',
      severity: 'error',
      comment: 'query imports incident, codec, event and base',
      from: { path: '^src/query/' },
      to: { path: '^(src|tools)/', pathNot: '^src/(query|incident|codec|event|base)/' },
    },
    {
      name: 'query-is-for-readers',
      severity: 'error',
      comment: 'what runs in the app does not load what reads incidents',
      from: { path: anyOf(LAYERS.slice(0, LAYERS.indexOf('src/transports'))) },
      to: { path: '^src/query/' },
    },
    {
      name: 'foolscap-makes-incidents',
      severity: 'error',
      comment: 'foolscap imports incident, codec, event and base',
      from: { path: '^src/foolscap/' },
      to: { path: '^(src|tools)/', pathNot: '^src/(foolscap|incident|codec|event|base)/' },
    },
    {
      name: 'foolscap-is-for-the-command-line',
      severity: 'error',
      comment: 'who never sees a log of Foolscap does not load what reads it',
      from: { path: '^src/', pathNot: '^src/foolscap/' },
      to: { path: '^src/foolscap/' },
    },
    {
      name: 'testing-stands-beside',
      severity: 'error',
      comment: 'flight-log/testing is for the tests of programs: nothing of ours imports it, and it knows no transports',
      from: { path: '^(src|tools)/', pathNot: '^src/testing(/|\\.ts$)' },
      to: { path: '^src/testing/' },
    },
    {
      name: 'testing-knows-the-recorder',
      severity: 'error',
      comment: 'testing imports the recorder and what is below it',
      from: { path: '^src/testing/' },
      to: { path: '^(src/(transports|viewer|collector|remote|sidecar)|tools)/' },
    },
    {
      name: 'collector-engines-know-no-incidents',
      severity: 'error',
      comment: 'inside the collector only parts/ joins engine, kernel, lease, process and store with incidents',
      from: { path: `^${COLLECTOR_ENGINES}/` },
      to: { path: '^src/', pathNot: `^(${COLLECTOR_ENGINES}|src/base)/` },
    },
    {
      name: 'entries-are-imported-by-nobody',
      severity: 'error',
      comment: 'src/*.ts are the entry points of users, and of programs that stand for theirs; inside, import the file itself',
      from: { path: '^(src|tools)/', pathNot: '^tools/(bench|main-job)/' },
      to: { path: '^src/[^/]+\\.ts$' },
    },
    {
      name: 'nothing-shipped-imports-tests',
      severity: 'error',
      from: { path: '^(src|tools/flog)/' },
      to: { path: '^(test|fixtures|tools/(?!flog/))' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'no file needs itself to be loaded; types may name each other',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'only-dependencies-that-are-installed',
      severity: 'error',
      comment: 'what is shipped imports dependencies and peers, never development tools; the page is shipped as one file',
      from: { path: '^(src|tools/flog)/', pathNot: '^src/viewer/page/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only', 'npm-peer'] },
    },
    {
      name: 'everything-resolves',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.test.json' },
    moduleSystems: ['cjs', 'es6'],
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['require', 'node', 'default', 'types'] },
  },
}
