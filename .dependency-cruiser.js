// The import rules of the house: imports go down only (docs/architecture.md).
const rooms = {
  lib: [],
  model: ['lib'],
  host: ['lib'],
  reconciler: ['lib', 'model'],
  sources: ['lib', 'model', 'host'],
  observers: ['lib', 'model', 'host'],
  actuators: ['lib', 'model', 'host', 'logs', 'keeper'],
  keeper: ['lib', 'model', 'host', 'logs'],
  logs: ['lib', 'model', 'host'],
  'log-reader': ['lib', 'model', 'host', 'logs'],
  journal: ['lib', 'model', 'host'],
  rpc: ['lib', 'model'],
  api: ['lib', 'model', 'rpc'],
  web: ['lib', 'model', 'rpc', 'metrics'],
  tui: ['lib', 'model', 'rpc'],
  metrics: ['lib', 'model', 'rpc'],
  cli: ['lib', 'model', 'rpc', 'tui', 'metrics'],
  daemon: [
    'lib',
    'model',
    'host',
    'reconciler',
    'sources',
    'observers',
    'actuators',
    'keeper',
    'logs',
    'log-reader',
    'journal',
    'rpc',
    'api',
    'web',
  ],
};

const downwardOnly = Object.entries(rooms).map(([room, allowed]) => ({
  name: `${room}-imports-down-only`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: `^src/(${[room, ...allowed].join('|')})/` },
}));

// `pmctl validate` does without the daemon what the sources do: as a program of its own, loaded late.
const validates = '^src/cli/(commands/validate|render-verdicts)\\.ts$';
const validation = '^src/sources/validate-files\\.ts$';
const cliRule = downwardOnly.find(({ name }) => name === 'cli-imports-down-only');
const cliImportsDownOnly = [
  { ...cliRule, from: { ...cliRule.from, pathNot: validates } },
  {
    ...cliRule,
    name: 'validate-imports-down-only',
    from: { path: validates },
    to: { ...cliRule.to, pathNot: [cliRule.to.pathNot, validation] },
  },
];

const onlyIn = (name, modules, places) => ({
  name,
  severity: 'error',
  from: { path: '^src/', pathNot: places },
  to: { path: modules },
});

export default {
  forbidden: [
    ...downwardOnly.filter(({ name }) => name !== 'cli-imports-down-only'),
    ...cliImportsDownOnly,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    onlyIn('child-process-only-in-host', '^(node:)?child_process$', '^src/host/'),
    onlyIn(
      'chokidar-only-in-watched-directory',
      'node_modules/chokidar/',
      '^src/sources/watched-directory\\.ts$',
    ),
    onlyIn(
      'p-queue-only-in-queues',
      'node_modules/p-queue/',
      '^src/reconciler/(start|work)-queue\\.ts$',
    ),
    onlyIn(
      'bcryptjs-only-in-password-hash',
      'node_modules/bcryptjs/',
      '^src/lib/password-hash\\.ts$',
    ),
    onlyIn('croner-only-in-schedule', 'node_modules/croner/', '^src/model/schedule\\.ts$'),
    onlyIn('pino-only-in-daemon', 'node_modules/pino/', '^src/daemon/'),
    onlyIn(
      'yaml-only-in-yaml-document',
      'node_modules/yaml/',
      '^src/sources/(yaml-document|yaml-limits|edit-definition)\\.ts$',
    ),
    onlyIn('fastify-only-in-web', 'node_modules/fastify/', '^src/web/server/'),
    onlyIn(
      'ink-and-react-only-in-interfaces',
      'node_modules/(ink|react)/',
      '^src/(tui|web/console)/',
    ),
    onlyIn('sqlite-only-in-journal', '^(node:)?sqlite$', '^src/journal/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
