import { readdirSync, rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { isErrno, messageOf, ProcessmasterError } from '../lib/errors.ts';
import type { RefusedController } from './cgroup.ts';
import {
  availableControllers,
  type CgroupPath,
  cgroupAt,
  createCgroup,
  enableControllers,
  enabledControllers,
  readPids,
  removeCgroup,
  writeControl,
} from './cgroup.ts';
import { DAEMON_LEAF } from './cgroup-mount.ts';

export interface CgroupTreeOptions {
  /** An existing cgroup, see resolveCgroupRoot. */
  readonly root: string;
  /** The instance's name, one path component. */
  readonly name: string;
  /** Whether controllers may be enabled for the instance and, on `root`, for its siblings. */
  readonly allowSubtreeControl: boolean;
}

const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;
const SERVICE_PREFIX = 'pm-';
const STOP_PREFIX = 'stop-';
const KEEPER_LEAF = 'keeper';
const CONSOLE_LEAF = 'console';
const ADMIN_LEAF = 'admin_actions';
/** A service has 100 unless it says otherwise, see cgroup-v2, "CPU Interface Files". */
const SUPERVISION_WEIGHT = '1000';
/** What a service's resources can ask for. */
const USED_CONTROLLERS = ['cpu', 'io', 'memory', 'pids'];

/**
 * The cgroups of one instance: `<root>/<name>` with a leaf for the daemon and one for each service.
 *
 * INVARIANTS: every path handed out is a direct child of the instance's cgroup; no process is in the
 * instance's cgroup itself, or none of its children could have a controller.
 */
export class CgroupTree {
  readonly instancePath: CgroupPath;
  /** Those that services may ask for and will not get. */
  readonly missingControllers: readonly RefusedController[];
  readonly #root: CgroupPath;
  /** Asked for with every look at a service. */
  readonly #serviceByName = new Map<string, CgroupPath>();
  readonly #enabledOnRoot: readonly string[];

  private constructor(options: CgroupTreeOptions) {
    this.#root = cgroupAt(options.root);
    this.instancePath = this.#child(this.#root, options.name);
    createCgroup(this.instancePath);
    const leaf = this.#child(this.instancePath, DAEMON_LEAF);
    createCgroup(leaf);
    refuseIfHeld(leaf);
    // First of all: when the daemon was started in `root`, its own presence forbids controllers.
    moveSelf(leaf);
    const before = enabledControllers(this.#root);
    this.missingControllers = this.#enableControllers(options.allowSubtreeControl);
    this.#letGoFirst(leaf);
    const after = enabledControllers(this.#root);
    this.#enabledOnRoot = after.filter((controller) => !before.includes(controller));
  }

  /**
   * Makes what is missing of the tree, moves the calling process into its leaf, and enables every
   * controller there is. One that cannot be had is no error, see {@link missingControllers}.
   * @throws ProcessmasterError `invalid_argument` for a bad name, `conflict` when another daemon is
   *   in that leaf, `io` otherwise.
   */
  static open(options: CgroupTreeOptions): CgroupTree {
    return new CgroupTree(options);
  }

  /** @throws ProcessmasterError `invalid_argument` when this is no service's name. */
  service(name: string): CgroupPath {
    const known = this.#serviceByName.get(name);
    if (known !== undefined) return known;
    const path = this.#child(this.instancePath, name, SERVICE_PREFIX);
    this.#serviceByName.set(name, path);
    return path;
  }

  /** Where the process runs that outlives the daemon, see src/keeper. */
  keeper(): CgroupPath {
    return this.#child(this.instancePath, KEEPER_LEAF);
  }

  /** Makes the keeper's cgroup. */
  provideKeeper(): void {
    createCgroup(this.keeper());
    this.#letGoFirst(this.keeper());
  }

  /** Where the web console runs. */
  console(): CgroupPath {
    return this.#child(this.instancePath, CONSOLE_LEAF);
  }

  /** Where the commands run that operators start, see src/actuators/admin-actions. */
  adminActions(): CgroupPath {
    return this.#child(this.instancePath, ADMIN_LEAF);
  }

  /** Where a service's stop command runs. @throws like {@link service}. */
  stopCommand(name: string): CgroupPath {
    return this.#child(this.instancePath, name, STOP_PREFIX);
  }

  /** The services that have a cgroup, running or not. @throws ProcessmasterError `io`. */
  serviceNames(): string[] {
    try {
      return readdirSync(this.instancePath, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && entry.name.startsWith(SERVICE_PREFIX))
        .map((entry) => entry.name.slice(SERVICE_PREFIX.length))
        .filter((name) => NAME.test(name));
    } catch (error) {
      const message = `cannot list cgroup '${this.instancePath}': ${messageOf(error)}`;
      throw new ProcessmasterError('io', message, { cause: error });
    }
  }

  /**
   * Moves the calling process back to `root` and removes the tree if nothing is left in it. False:
   * something is (services that run on, for one). Again is success.
   * @throws ProcessmasterError `io`.
   */
  close(): boolean {
    this.#leave();
    // Before the rest: an action that restarts us runs on, and what is left is adopted.
    if (!removeCgroup(this.adminActions())) return false;
    if (!removeCgroup(this.console())) return false;
    if (!removeCgroup(this.keeper())) return false;
    if (!removeCgroup(this.#child(this.instancePath, DAEMON_LEAF))) return false;
    try {
      rmdirSync(this.instancePath);
      return true;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return true;
      if (isErrno(error, 'EBUSY', 'ENOTEMPTY')) return false;
      const message = `cannot remove cgroup '${this.instancePath}': ${messageOf(error)}`;
      throw new ProcessmasterError('io', message, { cause: error });
    }
  }

  /** A cgroup whose children have controllers takes no process, unless it is the topmost. */
  #leave(): void {
    try {
      moveSelf(this.#root);
    } catch (error) {
      if (!isErrno(error, 'EBUSY')) throw error;
      disableControllers(this.instancePath, enabledControllers(this.instancePath));
      disableControllers(this.#root, this.#enabledOnRoot);
      moveSelf(this.#root);
    }
  }

  #enableControllers(allowed: boolean): readonly RefusedController[] {
    const refused: RefusedController[] = [];
    if (allowed) {
      for (const cgroup of [this.#root, this.instancePath]) {
        refused.push(...enableControllers(cgroup, availableControllers(cgroup)));
      }
    }
    const enabled = enabledControllers(this.instancePath);
    const named = [...enabled, ...refused.map(({ controller }) => controller)];
    const reason = allowed
      ? `'${this.#root}' does not have it (it may be in use by cgroup v1, or not delegated)`
      : 'cgroup.subtree_control_allow is false';
    const absent = USED_CONTROLLERS.filter((controller) => !named.includes(controller));
    return [...refused, ...absent.map((controller) => ({ controller, reason }))];
  }

  /** Whoever starts, stops and hears the services does not queue among them for the CPU. */
  #letGoFirst(leaf: CgroupPath): void {
    if (!enabledControllers(this.instancePath).includes('cpu')) return;
    writeControl(leaf, 'cpu.weight', SUPERVISION_WEIGHT);
  }

  #child(parent: CgroupPath, name: string, prefix = ''): CgroupPath {
    const path = cgroupAt(`${parent}/${prefix}${name}`);
    if (!NAME.test(name) || dirname(path) !== parent) {
      throw new ProcessmasterError('invalid_argument', `cannot use '${name}' as a cgroup's name`);
    }
    return path;
  }
}

/** Every thread of the calling process; 0 is the process that writes. */
function moveSelf(cgroup: CgroupPath): void {
  writeControl(cgroup, 'cgroup.procs', '0');
}

/** A daemon that was killed may have left a child on its way into a service's cgroup, for a moment. */
const LEFTOVERS_LEAVE_MS = 500;

/** Two daemons on one tree would each stop what the other starts. */
function refuseIfHeld(leaf: CgroupPath): void {
  const deadlineMs = performance.now() + LEFTOVERS_LEAVE_MS;
  for (;;) {
    const holder = readPids(leaf).find((pid) => pid !== process.pid);
    if (holder === undefined) return;
    if (performance.now() > deadlineMs) {
      const message = `cannot use cgroup '${dirname(leaf)}': the daemon with pid ${holder} does (stop that one, or set cgroup.name)`;
      throw new ProcessmasterError('conflict', message);
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS);
  }
}

const POLL_MS = 20;

function disableControllers(cgroup: CgroupPath, controllers: readonly string[]): void {
  for (const controller of controllers) {
    writeControl(cgroup, 'cgroup.subtree_control', `-${controller}`);
  }
}
