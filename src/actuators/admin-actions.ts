import { closeSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  createCgroup,
  isPopulated,
  killCgroup,
  readPids,
  removeCgroupWithin,
} from '../host/cgroup.ts';
import type { CgroupTree } from '../host/cgroup-tree.ts';
import { startDetached } from '../host/detached-process.ts';
import { assertWorkingDirectory, findExecutable } from '../host/executable.ts';
import { resolveIdentity } from '../host/identity.ts';
import { readVariable } from '../host/process-info.ts';
import { openForAppend } from '../host/safe-open.ts';
import { ProcessmasterError } from '../lib/errors.ts';
import type { AdminAction } from '../model/daemon-config.ts';
import { userEnvironment } from './environment.ts';

export interface AdminActionsParts {
  readonly tree: CgroupTree;
  readonly actions: readonly AdminAction[];
  /** The daemon's own: actions run in it, their output goes to files in its `logs`. */
  readonly directory: string;
  /** For actions that use pmctl. */
  readonly socket: string;
}

/** An action that was begun; its output is appended to these files. */
export interface BegunAction {
  readonly pid: number;
  readonly stdoutPath: string;
  readonly stderrPath: string;
}

/** A process of an action; `action` is `null` where it cannot be told. */
export interface ActionProcess {
  readonly pid: number;
  readonly action: string | null;
}

/** What tells whose a process is, also to the next daemon. */
const ACTION_VARIABLE = 'PM_ADMIN_ACTION';
const LOG_FILE_MODE = 0o640;
const KILLED_WITHIN_MS = 5_000;

/**
 * The commands that operators run by name, as root: begun and left alone. They are nobody's child and
 * in a cgroup that no stop of the daemon empties, so that one of them may replace the daemon.
 */
export class AdminActions {
  readonly #parts: AdminActionsParts;

  constructor(parts: AdminActionsParts) {
    this.#parts = parts;
  }

  list(): readonly AdminAction[] {
    return this.#parts.actions;
  }

  /**
   * Begins an action; resolves when its process is there.
   * @throws ProcessmasterError `launch_failed` when the command cannot be executed, `unsafe_path` or
   *   `io` when the files of its output cannot be opened.
   */
  async run({ id, command }: AdminAction): Promise<BegunAction> {
    const { tree, directory, socket } = this.#parts;
    const identity = await resolveIdentity(null, null);
    const environment = {
      ...userEnvironment(identity, process.env),
      PMCTL_SOCK: socket,
      [ACTION_VARIABLE]: id,
    };
    assertWorkingDirectory(directory, identity);
    const [argv0, ...args] = command;
    const program = findExecutable(argv0, directory, environment.PATH, identity);
    const stdoutPath = resolve(directory, 'logs/admin_action_stdout.log');
    const stderrPath = resolve(directory, 'logs/admin_action_stderr.log');
    const pid = await withOutputs([stdoutPath, stderrPath], (stdoutFd, stderrFd) => {
      const cgroup = tree.adminActions();
      createCgroup(cgroup);
      return startDetached([program, ...args], {
        ...{ cgroup, stdoutFd, stderrFd, cwd: directory, environment },
        isFavoured: false,
      });
    });
    return { pid, stdoutPath, stderrPath };
  }

  /** Everything that actions have begun and that has not ended, oldest first. */
  processes(): readonly ActionProcess[] {
    const cgroup = this.#parts.tree.adminActions();
    return readPids(cgroup)
      .sort((a, b) => a - b)
      .map((pid) => ({ pid, action: readVariable(pid, ACTION_VARIABLE) }));
  }

  /**
   * Ends them all at once, with what they have begun. Gives what was there.
   * @throws ProcessmasterError `io` when the kernel does not let go of one
   */
  async kill(): Promise<readonly ActionProcess[]> {
    const cgroup = this.#parts.tree.adminActions();
    const processes = this.processes();
    if (!isPopulated(cgroup)) return processes;
    killCgroup(cgroup);
    if (await removeCgroupWithin(cgroup, KILLED_WITHIN_MS)) return processes;
    const left = readPids(cgroup).join(', ');
    const why = `the kernel has not let go of ${left} within ${KILLED_WITHIN_MS / 1_000} s`;
    throw new ProcessmasterError('io', `cannot kill the admin actions: ${why}`);
  }
}

async function withOutputs(
  [stdoutPath, stderrPath]: readonly [string, string],
  act: (stdoutFd: number, stderrFd: number) => Promise<number>,
): Promise<number> {
  const options = { mode: LOG_FILE_MODE, createDirectories: true };
  const stdoutFd = openForAppend(stdoutPath, options);
  try {
    const stderrFd = openForAppend(stderrPath, options);
    try {
      return await act(stdoutFd, stderrFd);
    } finally {
      closeSync(stderrFd);
    }
  } finally {
    closeSync(stdoutFd);
  }
}
