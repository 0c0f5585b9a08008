import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeLimit } from '../actuators/write-limits.ts';
import { createCgroup, killCgroup, removeCgroupWithin } from '../host/cgroup.ts';
import type { CgroupTree } from '../host/cgroup-tree.ts';
import { type ConfinedChild, startConfined } from '../host/confined-child.ts';
import { resolveIdentity } from '../host/identity.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { type ConsoleConfig, exposureOf } from '../model/console-config.ts';
import { controlsOf, UNLIMITED } from '../model/resources.ts';
import type { ConsoleSettings } from '../web/server/settings.ts';
import type { ApiServer } from './api-server.ts';
import { loadTls } from './console-tls.ts';

/** Doubles with each end soon after a start. */
const LEAST_BACKOFF_MS = 1_000;
const MOST_BACKOFF_MS = 30_000;
/** One that ran so long was started well. */
const STABLE_MS = 60_000;
const GONE_WITHIN_MS = 2_000;
/** Last words that are worth an event. */
const MAX_WORDS = 500;

export interface WebConsoleParts {
  readonly config: ConsoleConfig;
  readonly stateDirectory: string;
  readonly clock: Clock;
  readonly tree: CgroupTree;
  readonly api: Pick<ApiServer, 'serve'>;
  readonly say: (kind: string, message: string) => void;
}

/**
 * Runs the web console: a process without rights, in a cgroup of its own, that reaches the daemon by one
 * socket pair.
 *
 * INVARIANTS: nothing here throws or waits on supervision's behalf; what becomes of the console concerns
 * nobody else; it ends with this daemon, however that ends (its socket is closed then).
 */
export class WebConsole {
  readonly #parts: WebConsoleParts;
  #child: ConfinedChild | null = null;
  #isClosing = false;
  #backoffMs = LEAST_BACKOFF_MS;
  /** Why it does not run, and what it runs without. */
  #trouble: string | null = null;
  #unlimited: string | null = null;
  #cancelStart: () => void = () => {};

  constructor(parts: WebConsoleParts) {
    this.#parts = parts;
  }

  /** What an operator should know: where it does not listen and why, or why it does not run. */
  warnings(): readonly string[] {
    const { reason } = exposureOf(this.#parts.config);
    return [reason, this.#trouble, this.#unlimited].filter((text) => text !== null);
  }

  start(): void {
    const { reason } = exposureOf(this.#parts.config);
    if (reason !== null) this.#parts.say('console.warning', reason);
    void this.#run();
  }

  /** Ends it; resolves when nothing of it is left. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#cancelStart();
    this.#child?.kill('SIGTERM');
    await this.#clear();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { clock } = this.#parts;
    const startedMs = clock.monotonicMs();
    const end = await this.#once().catch((error: unknown) => messageOf(error));
    this.#child = null;
    if (this.#isClosing) return;
    const isStable = clock.monotonicMs() - startedMs >= STABLE_MS;
    const waitMs = isStable ? LEAST_BACKOFF_MS : this.#backoffMs;
    this.#backoffMs = Math.min(waitMs * 2, MOST_BACKOFF_MS);
    this.#trouble = `the web console does not run: ${end}`;
    this.#parts.say('console.ended', `${end}; it is started again in ${waitMs / 1_000} s`);
    this.#cancelStart = clock.schedule(waitMs, () => void this.#run());
  }

  /** Starts it and waits for its end; gives what there is to say of that. */
  async #once(): Promise<string> {
    const { config, tree, api } = this.#parts;
    const { uid, gid } = await resolveIdentity(config.user, null);
    const settings = await this.#settings();
    await this.#clear();
    if (this.#isClosing) return 'it is not wanted any more';
    createCgroup(tree.console());
    this.#unlimited = this.#limitMemory();
    const child = startConfined([consoleProgram, `${uid}:${gid}`], tree.console(), ENVIRONMENT);
    this.#child = child;
    api.serve(child.socket);
    child.stdin.end(JSON.stringify(settings));
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-MAX_WORDS);
    });
    child.socket.once('data', () => this.#begun(child.pid));
    const end = await child.ended;
    child.socket.destroy();
    const said = words.trim().split('\n').at(-1) ?? '';
    return said === '' ? end : `${end}: ${said}`;
  }

  async #settings(): Promise<ConsoleSettings> {
    const { config, stateDirectory, clock } = this.#parts;
    const { port, users, basePath, metricsToken, tls } = config;
    return {
      bind: exposureOf(config).bind,
      port,
      users,
      basePath,
      metricsToken,
      hosts: tls?.clientHost == null ? [] : [tls.clientHost],
      tls: tls === null ? null : await loadTls(tls, { stateDirectory, nowMs: clock.wallMs() }),
    };
  }

  #begun(pid: number): void {
    this.#trouble = null;
    this.#parts.say('console.started', `pid ${pid}`);
  }

  /** Why its memory is not limited; `null` when it is, or need not be. */
  #limitMemory(): string | null {
    const { config, tree } = this.#parts;
    if (config.memoryMaxBytes === null) return null;
    const wanted = controlsOf({ ...UNLIMITED, maxMemory: config.memoryMaxBytes });
    const [memory] = wanted.filter(({ file }) => file === 'memory.max');
    const refused = memory === undefined ? null : writeLimit(tree.console(), memory);
    return refused === null ? null : `web_console.memory_max is not in force: ${refused.reason}`;
  }

  async #clear(): Promise<void> {
    const cgroup = this.#parts.tree.console();
    killCgroup(cgroup);
    await removeCgroupWithin(cgroup, GONE_WITHIN_MS);
  }
}

/** Beside the daemon's own program, as the keeper is. */
const consoleProgram = join(dirname(realpathSync(process.argv[1] ?? '')), 'console');

/** Enough for its launcher to find Node. */
const ENVIRONMENT = { PATH: process.env.PATH ?? '/usr/bin:/bin', LANG: 'C.UTF-8' };
