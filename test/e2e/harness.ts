import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFailed, onTestFinished } from 'vitest';
import type { EventRow, StatusRow } from '../../src/rpc/status-row.ts';
import { cgroupMount, cgroupPids, childCgroups } from './kernel.ts';
import { type Outcome, program, runProgram } from './programs.ts';
import { waitFor } from './wait-for.ts';

/** A service definition: YAML as it is written, or what JSON (which is YAML, too) says of it. */
type Definition = string | Readonly<Record<string, unknown>>;

const START_DEADLINE_MS = 10_000;
const SHUTDOWN_DEADLINE_MS = 20_000;

let instances = 0;

/** An instance of its own for this test, running; what it started is gone when the test ends. */
export async function startInstance(): Promise<Instance> {
  const instance = new Instance();
  await instance.start();
  return instance;
}

/** Processes that fork have so many for a moment before the last of them is there. */
const AT_REST_MS = 200;

/**
 * A daemon with its own folders, socket and cgroup.
 *
 * INVARIANTS: everything it makes is below `root` or `cgroup`, whose names nobody else uses; both
 * are gone when the test that made it ends, however it ends.
 */
export class Instance {
  readonly name = `pmtest-${process.pid}-${++instances}`;
  readonly root = mkdtempSync(join(tmpdir(), `${this.name}-`));
  readonly configDirectory = join(this.root, 'config.d');
  readonly autoServiceDirectory = join(this.root, 'auto');
  readonly configFile = join(this.root, 'config.yaml');
  readonly socket = join(this.root, 'run/processmaster.sock');
  readonly cgroup = join(cgroupMount(), this.name);
  /** All that the daemon wrote to its output, of all its lives. */
  daemonOutput = '';
  /** Another build of the daemon than the project's. */
  daemonProgram: string | null = null;
  #daemon: ChildProcess | null = null;

  /** @param global  more lines of the master config's section `global`, each indented by two */
  constructor(global = '') {
    onTestFinished(() => this.#cleanUp());
    onTestFailed(() =>
      console.error(`output of ${this.name}:\n${this.daemonOutput.slice(-8_000)}`),
    );
    chmodSync(this.root, 0o755);
    mkdirSync(this.configDirectory);
    mkdirSync(this.autoServiceDirectory);
    writeFileSync(
      this.configFile,
      `cgroup:
  name: ${this.name}
global:
  config_directory: ./config.d
  auto_service_directory: ./auto
  runtime_directory: ./run
  state_directory: ./state
${global}`,
    );
  }

  /** Has it run from programs of its own, which a test may change. Gives the folder they are in. */
  async installDaemon(): Promise<string> {
    const folder = join(this.root, 'installed/dist');
    cpSync(dirname(await program('processmaster')), folder, { recursive: true });
    this.daemonProgram = join(folder, 'processmaster');
    return folder;
  }

  /** Starts a daemon and waits until it answers. */
  async start(): Promise<void> {
    const daemon = spawn(
      this.daemonProgram ?? (await program('processmaster')),
      ['-c', this.configFile],
      {
        cwd: this.root,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#daemon = daemon;
    for (const stream of [daemon.stdout, daemon.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        this.daemonOutput += chunk;
      });
    }
    const answers = async () => {
      if (daemon.exitCode !== null) throw new Error(`the daemon ended: ${this.daemonOutput}`);
      return existsSync(this.socket) && (await this.pmctl('server-version')).code === 0;
    };
    await waitFor(answers, { what: 'the daemon to answer', deadlineMs: START_DEADLINE_MS });
  }

  get daemonPid(): number {
    const pid = this.#daemon?.pid;
    if (pid === undefined) throw new Error('the daemon was not started');
    return pid;
  }

  /** Sends the daemon a signal and waits for its end; gives its exit code, null after a kill. */
  async endDaemon(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null> {
    const daemon = this.#daemon;
    if (daemon === null || daemon.exitCode !== null || daemon.signalCode !== null) {
      return daemon?.exitCode ?? null;
    }
    const ended = once(daemon, 'exit');
    const giveUp = setTimeout(() => daemon.kill('SIGKILL'), SHUTDOWN_DEADLINE_MS);
    daemon.kill(signal);
    const [code] = await ended;
    clearTimeout(giveUp);
    return typeof code === 'number' ? code : null;
  }

  pmctl(...args: string[]): Promise<Outcome> {
    return this.pmctlWithin(20_000, ...args);
  }

  async pmctlWithin(timeoutMs: number, ...args: string[]): Promise<Outcome> {
    const env = { PATH: process.env.PATH, PMCTL_SOCK: this.socket };
    return runProgram(await program('pmctl'), args, { env, timeoutMs });
  }

  /** The services that `pmctl status` shows, by name. */
  async statuses(): Promise<ReadonlyMap<string, StatusRow>> {
    const { stdout, stderr } = await this.pmctl('status', '--format', 'json');
    if (stdout === '') throw new Error(`pmctl status printed nothing: ${stderr}`);
    const rows = JSON.parse(stdout) as readonly StatusRow[];
    return new Map(rows.map((row) => [row.application, row]));
  }

  async status(service: string): Promise<StatusRow | undefined> {
    return (await this.statuses()).get(service);
  }

  /** Empty when the daemon does not know the service yet. */
  async events(service: string): Promise<readonly EventRow[]> {
    const { code, stdout } = await this.pmctl('events', service, '--format', 'json');
    return code === 4 ? [] : (JSON.parse(stdout) as readonly EventRow[]);
  }

  /** Waits until `pmctl status` shows a service in this phase. */
  async phase(service: string, phase: string, deadlineMs = 10_000): Promise<StatusRow> {
    const read = async () => {
      const status = await this.status(service);
      return status?.phase === phase ? status : null;
    };
    return waitFor(read, { what: `${service} to be ${phase}`, deadlineMs });
  }

  /** Drops a definition as editors do: written beside, then renamed. Gives its path. */
  define(service: string, definition: Definition): string {
    const file = join(this.configDirectory, `${service}.yaml`);
    const text = typeof definition === 'string' ? definition : JSON.stringify(definition);
    writeFileSync(join(this.root, 'definition.tmp'), text);
    renameSync(join(this.root, 'definition.tmp'), file);
    return file;
  }

  /** Defines a service that runs a shell script in a folder of its own; `rest` adds to the spec. */
  defineScript(
    service: string,
    script: string,
    { process, ...rest }: { process?: object } & Readonly<Record<string, unknown>> = {},
  ): string {
    const spec = {
      working_directory: this.folder(service),
      start_command: ['/bin/sh', '-c', script],
      ...process,
    };
    return this.define(service, { process: spec, ...rest });
  }

  /** A folder for a service to work in, made when missing. */
  folder(service: string): string {
    const folder = join(this.root, 'work', service);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  cgroupOf(service: string): string {
    return join(this.cgroup, `pm-${service}`);
  }

  pidsOf(service: string): readonly number[] {
    return cgroupPids(this.cgroupOf(service));
  }

  /** Waits until the kernel shows `count` processes (or any) in a service's cgroup. */
  running(service: string, count?: number, deadlineMs = 10_000): Promise<readonly number[]> {
    let since = { pids: '', atMs: 0 };
    const read = () => {
      const pids = this.pidsOf(service);
      if (pids.length === 0 || pids.length !== (count ?? pids.length)) return null;
      const seen = pids.join();
      if (seen !== since.pids) since = { pids: seen, atMs: performance.now() };
      const restsMs = pids.length === 1 || count === undefined ? 0 : AT_REST_MS;
      return performance.now() - since.atMs >= restsMs ? pids : null;
    };
    return waitFor(read, { what: `${count ?? 'any'} processes in ${service}`, deadlineMs });
  }

  /** Waits until a service's cgroup is gone. */
  async gone(service: string, deadlineMs = 10_000): Promise<void> {
    const isGone = () => !existsSync(this.cgroupOf(service));
    await waitFor(isGone, { what: `the cgroup of ${service} to be removed`, deadlineMs });
  }

  async #cleanUp(): Promise<void> {
    await this.endDaemon('SIGTERM');
    if (existsSync(this.cgroup)) {
      writeFileSync(join(this.cgroup, 'cgroup.kill'), '1');
      await waitFor(() => cgroupPids(this.cgroup).length === 0, { what: 'the last processes' });
      for (const cgroup of [...childCgroups(this.cgroup), this.cgroup]) rmdirSync(cgroup);
    }
    rmSync(this.root, { recursive: true, force: true, maxRetries: 3 });
  }
}
