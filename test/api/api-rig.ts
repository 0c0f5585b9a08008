import type {
  ApiPorts,
  FileEdit,
  IntentRequest,
  ProcessDescription,
  RunSummary,
} from '../../src/api/ports.ts';
import { BEGINNING } from '../../src/log-reader/log-position.ts';
import type { RecordedEvent, ServiceEvent } from '../../src/model/event.ts';
import { EMPTY_HISTORY } from '../../src/model/history.ts';
import type { Intent } from '../../src/model/intent.ts';
import type { ServiceName } from '../../src/model/service-name.ts';
import type { AcceptedSpec } from '../../src/model/service-spec.ts';
import { type Condition, phaseOf, type ServiceStatus } from '../../src/model/status.ts';
import type { UserFlag } from '../../src/model/user-flag.ts';
import type { CallContext } from '../../src/rpc/dispatch.ts';
import { accepted, desired, name } from '../builders/specs.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

export const BUILD = { host: 'builder', time: 'then', version: '1.2.3' };

/** A status whose phase follows from its conditions. */
export function status(
  text: string,
  conditions: readonly Condition[] = [],
  changes: Partial<ServiceStatus> = {},
): ServiceStatus {
  const named = name(text);
  return {
    name: named,
    phase: phaseOf(conditions),
    conditions,
    desired: desired(accepted({ name: named })),
    intent: null,
    history: EMPTY_HISTORY,
    cgroup: { kind: 'absent' },
    ...changes,
  };
}

export const condition = (type: Condition['type'], message = `it is ${type}`): Condition => ({
  type,
  message,
});

/** The daemon as the use cases see it, held in memory. `onIntent` plays the reconciler. */
export class MemoryDaemon {
  readonly clock = new FakeClock();
  readonly intents: Intent[] = [];
  readonly lifted: number[] = [];
  readonly edits: string[] = [];
  /** What `setEnabled` does with a file; it may throw. */
  edit: (spec: AcceptedSpec, enabled: boolean) => FileEdit = () => 'edited';
  readonly enqueued: string[] = [];
  readonly emitted: ServiceEvent[] = [];
  events: RecordedEvent[] = [];
  processes: ProcessDescription[] = [];
  runs: RunSummary[] = [];
  /** Lines by file and key. */
  lines: Readonly<Record<string, Readonly<Record<string, number>>>> = {};
  listeners = new Set<(name: ServiceName) => void>();
  readonly eventListeners = new Set<(event: RecordedEvent) => void>();
  readonly flags = new Map<ServiceName, readonly UserFlag[]>();
  onIntent: (intent: Intent, before: ServiceStatus) => void = () => {};
  readonly #statuses = new Map<ServiceName, ServiceStatus>();

  constructor(...statuses: readonly ServiceStatus[]) {
    for (const one of statuses) this.#statuses.set(one.name, one);
  }

  /** Writes a status and tells who listens. */
  show(one: ServiceStatus): void {
    this.#statuses.set(one.name, one);
    this.#tell(one.name);
  }

  /** Records an event and tells who listens. */
  happen(event: RecordedEvent): void {
    this.events.push(event);
    for (const listener of [...this.eventListeners]) listener(event);
  }

  forget(named: ServiceName): void {
    this.#statuses.delete(named);
    this.#tell(named);
  }

  ports(changes: Partial<ApiPorts> = {}): ApiPorts {
    return {
      clock: this.clock,
      build: BUILD,
      daemonInfo: () => ({
        pid: 42,
        startedAtMs: this.clock.wallMs() - 5_000,
        socket: '/run/pm.sock',
        warnings: ['the disk is full'],
      }),
      statuses: () => [...this.#statuses.values()],
      status: (named) => this.#statuses.get(named) ?? null,
      subscribe: (listener) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
      },
      recordIntent: (named, request) => this.#record(named, request),
      liftIntent: (named, isMeant) => {
        const asked = this.#statuses.get(named)?.intent ?? null;
        if (asked === null || !isMeant(asked)) return null;
        this.lifted.push(asked.id);
        return asked;
      },
      enqueue: (named) => this.enqueued.push(named),
      desired: (named) => this.#statuses.get(named)?.desired ?? null,
      logSources: (service) => [
        { service, path: `/logs/${service}.out`, stream: 'stdout' },
        { service, path: `/logs/${service}.err`, stream: 'stderr' },
      ],
      logStart: async () => BEGINNING,
      readLogBefore: async (_, position) => ({ text: '', position, at_start: true, gap: false }),
      readLog: async (_source, position) => {
        return { text: '', position, modified_ms: null, at_end: true, gap: false };
      },
      jobHistory: () => [],
      usage: () => null,
      usageSeries: () => [],
      ownMetrics: () => ({
        cpuUs: 1_500_000,
        residentBytes: 64_000_000,
        openDescriptors: 40,
        loopDelayMs: null,
        events: [],
        slots: [],
      }),
      hostId: 'host',
      setEnabled: (spec, enabled) => this.#edit(spec, enabled),
      updateSources: async () => NOTHING_NEW,
      diffSources: async () => NOTHING_PENDING,
      events: ({ service, limit, afterSeq, sinceMs = 0 }) => {
        const found = this.events.filter(
          ({ seq, atMs, ...one }) =>
            (service === undefined || one.service === service) &&
            seq > (afterSeq ?? 0) &&
            atMs >= sinceMs,
        );
        return afterSeq === undefined ? found.slice(-limit) : found.slice(0, limit);
      },
      lastSeq: () => this.events.at(-1)?.seq ?? 0,
      onEvent: (listener) => {
        this.eventListeners.add(listener);
        return () => this.eventListeners.delete(listener);
      },
      userFlags: (named) => this.flags.get(named) ?? [],
      saveUserFlags: (named, flags) => this.flags.set(named, flags),
      tailHints: async () => [],
      tailLogs: async (named, lines) => [
        { path: `/logs/${named}`, lines: [`${lines} lines`], truncated: false },
      ],
      describeProcesses: (pids) => this.processes.filter(({ pid }) => pids.includes(pid)),
      requestRestart: async () => ({ from: BUILD, to: BUILD }),
      runs: (_named, limit) => this.runs.slice(-limit),
      hasMarker: () => false,
      locate: (file, keyPaths) =>
        new Map(Object.entries(this.lines[file] ?? {}).filter(([key]) => keyPaths.includes(key))),
      nextLookMs: () => null,
      adminActions: {
        list: () => [],
        run: async () => ({ pid: 7, stdoutPath: '/o', stderrPath: '/e' }),
        processes: () => [],
        kill: async () => [],
      },
      isShuttingDown: () => false,
      emit: (event) => this.emitted.push(event),
      ...changes,
    };
  }

  #edit(spec: AcceptedSpec, enabled: boolean): FileEdit {
    const edit = this.edit(spec, enabled);
    this.edits.push(`${spec.sourceFile} ${enabled} ${edit}`);
    return edit;
  }

  #record(named: ServiceName, request: IntentRequest): Intent {
    const { forMs, ...asked } = request;
    const { wallMs, monotonicMs } = this.clock.now();
    const until =
      forMs === null ? null : { wallMs: wallMs + forMs, monotonicMs: monotonicMs + forMs };
    const intent = { ...asked, id: this.intents.length + 1, requestedAtMs: wallMs, until };
    this.intents.push(intent);
    const before = this.#statuses.get(named);
    if (before !== undefined) this.onIntent(intent, before);
    return intent;
  }

  #tell(named: ServiceName): void {
    for (const listener of [...this.listeners]) listener(named);
  }
}

const NOTHING_PENDING = {
  changes: [],
  unchanged: 0,
  problems: [],
  conflicts: [],
  brakes: [],
  contents: [],
};

export const NOTHING_NEW = {
  accepted: [],
  changed: [],
  removed: [],
  problems: [],
  conflicts: [],
  brakes: [],
  contents: [],
};

/** A caller that waits for as long as it takes, and one that can go away. */
export function caller(controller = new AbortController()): CallContext {
  return { actor: 'local', isConsole: false, signal: controller.signal };
}
