import { desiredWarnings } from '../api/desired-warnings.ts';
import { createHandlers } from '../api/handlers.ts';
import type { ApiPorts, RunSummary } from '../api/ports.ts';
import { reportUpdate } from '../api/update-report.ts';
import { hostId } from '../host/host-id.ts';
import { resolveIdentity } from '../host/identity.ts';
import { processStartedAtMs, readCommandLine, readProcess } from '../host/process-info.ts';
import type { Journal } from '../journal/journal.ts';
import { parseExit } from '../journal/run-exit.ts';
import { buildInfo } from '../lib/build-info.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf, ProcessmasterError } from '../lib/errors.ts';
import { OpenSegments } from '../log-reader/open-segments.ts';
import type { DaemonConfig } from '../model/daemon-config.ts';
import type { ServiceName } from '../model/service-name.ts';
import { hasMarker } from '../observers/observe-provisioning.ts';
import { RpcServer } from '../rpc/server.ts';
import { listenOnUnixSocket } from '../rpc/unix-socket.ts';
import { setEnabledInFile } from '../sources/edit-definition-file.ts';
import { locateKeys } from '../sources/locate-keys.ts';
import type { OperatorIntents } from '../sources/operator-intents.ts';
import type { SourceSet } from '../sources/source-set.ts';
import type { UserFlags } from '../sources/user-flags.ts';
import { diffSources } from './diff-sources.ts';
import { refreshEnvironments } from './environment-changes.ts';
import type { EventStream } from './event-stream.ts';
import type { Machinery } from './machinery.ts';
import { findStart, readBack, readOn, sourcesOfLogs } from './read-logs.ts';
import { tailHints, tailLogs } from './tail-logs.ts';
import { usageRowOf } from './usage-row-of.ts';

export interface ApiParts {
  readonly config: DaemonConfig;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly events: EventStream;
  readonly intents: OperatorIntents;
  readonly flags: UserFlags;
  readonly machinery: Machinery;
  readonly sources: SourceSet;
  readonly adminActions: ApiPorts['adminActions'];
  readonly isShuttingDown: () => boolean;
  readonly requestRestart: ApiPorts['requestRestart'];
  readonly warnings: () => readonly string[];
  readonly ownMetrics: ApiPorts['ownMetrics'];
}

/** The API as others in the daemon know it. */
export type ApiServer = Pick<RpcServer, 'serve' | 'close'>;

/**
 * Serves the contract on the unix socket.
 * @throws ProcessmasterError `conflict` when the socket is in use, `unsafe_path`, `io`
 */
export async function startApi(parts: ApiParts): Promise<ApiServer> {
  const build = buildInfo();
  const server = new RpcServer({
    build,
    handlers: createHandlers(createPorts(parts)),
    report: (error, method) =>
      parts.events.emit({
        atMs: parts.clock.wallMs(),
        service: null,
        kind: 'api.failed',
        message: `${method}: ${messageOf(error)}`,
        actor: 'daemon',
        data: {},
      }),
  });
  const { path, mode, owner, group } = parts.config.socket;
  const { uid, gid } = await resolveIdentity(owner, group);
  await listenOnUnixSocket(server.listener, { path, mode, uid, gid });
  return server;
}

function createPorts(parts: ApiParts): ApiPorts {
  const { clock, journal, intents, flags, machinery, config } = parts;
  const { store, controller } = machinery;
  const openSegments = new OpenSegments();
  const startedAtMs = clock.wallMs();
  return {
    clock,
    build: buildInfo(),
    daemonInfo: () => ({
      pid: process.pid,
      startedAtMs,
      socket: config.socket.path,
      warnings: [...parts.warnings(), ...desiredWarnings(store.desired)],
    }),
    statuses: () =>
      [...store.statuses()]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map((status) => controller.inspect(status.name) ?? status),
    status: (name) => controller.inspect(name),
    subscribe: (listener) => store.subscribe(listener),
    recordIntent: (name, request) => {
      refuseWhenShuttingDown(parts, `${request.want} '${name}'`);
      return intents.record(name, request);
    },
    liftIntent: (name, isMeant) => {
      const intent = intents.get(name);
      if (intent === null || !isMeant(intent)) return null;
      intents.forget(name);
      return intent;
    },
    enqueue: (name) => controller.enqueue(name),
    hasMarker,
    desired: (name) => store.desiredOf(name),
    setEnabled: ({ spec, source, sourceFile }, enabled) => {
      refuseWhenShuttingDown(parts, `${enabled ? 'enable' : 'disable'} '${spec.name}'`);
      // Defaults stand for the missing file of an auto service, and only of one.
      return setEnabledInFile(sourceFile, enabled, { mayCreate: source.startsWith('auto:') });
    },
    updateSources: async ({ prune, only }) => {
      const apply = only === undefined ? 'all' : new Set(only);
      const before = store.desired;
      const after = await parts.sources.read({ settled: true, prune, apply });
      if (only === undefined) provisionAgain(parts);
      const isApplied = (name: ServiceName) => apply === 'all' || apply.has(name);
      const waits = (name: ServiceName) => config.apply === 'manual' && !isApplied(name);
      const contents = await refreshEnvironments(machinery, after, { settled: true, waits });
      return reportUpdate(
        before,
        after,
        contents.filter(({ name }) => isApplied(name)),
      );
    },
    diffSources: (options) =>
      diffSources(
        {
          sources: parts.sources,
          controller,
          environments: machinery.environments,
          configDirectory: config.configDirectory,
        },
        options,
      ),
    events: (query) => journal.events(query),
    logSources: (name) => sourcesOfLogs(store, name),
    logStart: (source, start) => findStart(store, source, start),
    readLog: (source, position, options) =>
      readOn({ store, kept: openSegments }, source, position, options),
    readLogBefore: (source, position) => readBack(source, position),
    jobHistory: (query) =>
      journal.jobHistory(query).map(({ exit, ...rest }) => ({ ...rest, exit: parseExit(exit) })),
    ownMetrics: parts.ownMetrics,
    usage: (name, run) => {
      const reading = machinery.usage.read(name);
      return reading === null ? null : usageRowOf(name, run, reading);
    },
    usageSeries: (name, range, fields) => machinery.usageHistory.series(name, range, fields),
    hostId: hostId(),
    tailLogs: (name, lines) => tailLogs(store, name, lines),
    tailHints: (name, lines) => tailHints(store, name, lines),
    describeProcesses: (pids) =>
      pids.flatMap((pid) => {
        const process = readProcess(pid);
        if (process === null) return [];
        return [{ pid, startedAtMs: processStartedAtMs(process), command: readCommandLine(pid) }];
      }),
    requestRestart: parts.requestRestart,
    runs: (name, limit) => listRuns(journal, name, limit),
    locate: locateInFile,
    nextLookMs: (name) => controller.nextLookMs(name),
    adminActions: parts.adminActions,
    isShuttingDown: parts.isShuttingDown,
    emit: (event) => parts.events.emit(event),
    userFlags: (name) => flags.of(name),
    saveUserFlags: (name, held) => flags.save(name, held),
    lastSeq: () => journal.lastSeq,
    onEvent: (listener) => parts.events.subscribe(listener),
  };
}

/** An update also looks for markers that were deleted, and tries again what failed. */
function provisionAgain({ machinery: { store, controller } }: ApiParts): void {
  for (const [name, { accepted }] of store.desired.services) {
    if (accepted !== null && accepted.spec.provisioning.length > 0) {
      controller.record(name, { kind: 'provisioning-requested' });
    }
  }
}

function refuseWhenShuttingDown(parts: ApiParts, what: string): void {
  if (!parts.isShuttingDown()) return;
  throw new ProcessmasterError('conflict', `cannot ${what}: the daemon is shutting down`);
}

function locateInFile(file: string, keyPaths: readonly string[]): ReadonlyMap<string, number> {
  const paths = keyPaths.map((keyPath) => keyPath.split('.'));
  const lines = locateKeys(file, paths);
  return new Map(
    keyPaths.flatMap((keyPath, index) => {
      const line = lines[index] ?? null;
      return line === null ? [] : [[keyPath, line] as const];
    }),
  );
}

function listRuns(journal: Journal, name: ServiceName, limit: number): readonly RunSummary[] {
  return journal
    .runs(name, limit)
    .map(({ service: _, exit, ...rest }) => ({ ...rest, exit: parseExit(exit) }));
}
