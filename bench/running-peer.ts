import { mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ProcessmasterError } from '../src/lib/errors.ts';
import { cpuMs, createCgroup, endCgroup, pidsBelow } from './cgroup.ts';
import { ended, start } from './command.ts';
import type { Instance, Peer } from './peer.ts';
import { childrenOf, numbersIn, programOf } from './proc.ts';

const SPAWN_DEADLINE_MS = 180_000;

/** The bench's own folder and cgroups, and the signal that it is to end early. */
export interface Bench {
  readonly folder: string;
  readonly runtimeFolder: string;
  readonly cgroupMount: string;
  readonly signal: AbortSignal;
}

/**
 * One supervisor with its sleepers.
 *
 * INVARIANTS: everything it starts is in one of its two cgroups (`home`, where it is launched, and
 * the one it may make its own), so `end` finds all of it whatever became of its parents.
 */
export class RunningPeer {
  readonly peer: Peer;
  readonly count: number;
  readonly instance: Instance;
  readonly #bench: Bench;
  readonly #folder: string;
  readonly #runtimeFolder: string;
  readonly #cgroups: readonly [home: string, own: string];
  readonly #sleepers = new Set<number>();
  #daemonPid: number | null = null;

  constructor(bench: Bench, peer: Peer, count: number) {
    const name = `pmbench-${process.pid}-${peer.name}`;
    this.peer = peer;
    this.count = count;
    this.#bench = bench;
    this.#folder = join(bench.folder, `${peer.name}-${count}`);
    this.#runtimeFolder = join(bench.runtimeFolder, `${peer.name}-${count}`);
    this.#cgroups = [`${bench.cgroupMount}/${name}-home`, `${bench.cgroupMount}/${name}`];
    const place = { folder: this.#folder, runtimeFolder: this.#runtimeFolder, cgroupName: name };
    for (const folder of [this.#folder, this.#runtimeFolder]) mkdirSync(folder, { mode: 0o700 });
    this.instance = peer.configure(count, { ...place, cgroupMount: bench.cgroupMount });
  }

  /** Launches it; returns the ms until all its services run, counted in /proc. */
  async start(): Promise<number> {
    const { launchIs, environment: env, pidFile } = this.instance;
    const [home] = this.#cgroups;
    createCgroup(home);
    const log = openSync(join(this.#folder, 'launch.log'), 'a');
    const startedAtMs = performance.now();
    const child = start(['/bin/sh', '-c', JOIN_AND_EXEC, 'sh', home, ...this.instance.launch], {
      cwd: this.#folder,
      env,
      stdio: ['ignore', log, log],
    });
    let exit: number | string | undefined;
    const exited = ended(child).then((code) => {
      exit = code;
    });
    const spawnMs = await this.#poll('start its services', startedAtMs, () => {
      if (exit !== undefined && (launchIs === 'daemon' || exit !== 0)) throw this.#failed(exit);
      this.#daemonPid ??=
        launchIs === 'daemon' ? (child.pid ?? null) : (numbersIn(pidFile ?? '')[0] ?? null);
      return this.services().length >= this.count;
    });
    if (launchIs === 'client') await exited;
    return spawnMs;
  }

  /** The pids of its services: children of the daemon, or of its helper, that have become `sleep`. */
  services(): readonly number[] {
    const { helperCgroup } = this.instance;
    const daemon = this.#daemonPid === null ? [] : [this.#daemonPid];
    const parents = helperCgroup === null ? daemon : pidsBelow(helperCgroup);
    return parents.flatMap(childrenOf).filter((pid) => this.#isSleeper(pid));
  }

  /** Kills a service by SIGKILL; returns the ms until another runs in its place. */
  async restart(victim: number): Promise<number> {
    const before = new Set(this.services());
    const killedAtMs = performance.now();
    process.kill(victim, 'SIGKILL');
    return this.#poll('restart a service', killedAtMs, () =>
      this.services().some((pid) => !before.has(pid)),
    );
  }

  /** The pids of everything that supervises: all it runs, less the services. */
  supervisorPids(): readonly number[] {
    const all = this.#cgroups.flatMap(pidsBelow);
    return all.filter((pid) => programOf(pid) !== 'sleep');
  }

  /** CPU time of all it ever ran, in ms. Sleepers use none while they sleep. */
  cpuMs(): number {
    return this.#cgroups.map(cpuMs).reduce((sum, ms) => sum + ms, 0);
  }

  /** Ends it with all that it started, and removes its folders. */
  async end(): Promise<void> {
    for (const cgroup of this.#cgroups) await endCgroup(cgroup);
    for (const folder of [this.#folder, this.#runtimeFolder]) {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  // A pid is looked at until it runs `sleep`, and then remembered: reading the names of a thousand
  // processes each millisecond would be the load that is measured.
  #isSleeper(pid: number): boolean {
    if (this.#sleepers.has(pid)) return true;
    if (programOf(pid) !== 'sleep') return false;
    this.#sleepers.add(pid);
    return true;
  }

  async #poll(what: string, sinceMs: number, isDone: () => boolean): Promise<number> {
    for (;;) {
      const done = isDone();
      const elapsedMs = performance.now() - sinceMs;
      if (done) return elapsedMs;
      if (elapsedMs > SPAWN_DEADLINE_MS) {
        const seen = `${this.services().length} of ${this.count} run`;
        throw this.#error(`cannot see '${this.peer.name}' ${what}: ${seen}`);
      }
      await delay(1, undefined, { signal: this.#bench.signal });
    }
  }

  #failed(exit: number | string): ProcessmasterError {
    return this.#error(`cannot start '${this.peer.name}': it ended with ${exit}`);
  }

  #error(message: string): ProcessmasterError {
    const log = readFileSync(join(this.#folder, 'launch.log'), 'utf8').trim();
    const tail = log.split('\n').slice(-15).join('\n');
    return new ProcessmasterError('io', tail === '' ? message : `${message}\n${tail}`);
  }
}

const JOIN_AND_EXEC = 'echo 0 > "$1/cgroup.procs" && shift && exec "$@"';
