import { type FSWatcher, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { CgroupTree } from '../host/cgroup-tree.ts';
import { isErrno, messageOf } from '../lib/errors.ts';
import type { ServiceName } from '../model/service-name.ts';

interface Watch {
  /** Inode of the cgroup's folder: a cgroup made anew under the same name needs a new watch. */
  readonly inode: number;
  readonly watcher: FSWatcher;
}

/**
 * Tells which service's cgroup became populated or empty. The kernel notifies the *file*
 * `cgroup.events` (cgroup-v2.rst, "cgroup.events"); a watch on the folder sees nothing.
 *
 * INVARIANTS: a signal is only a hint to look; without watches the relist finds the same, later.
 */
export class CgroupEvents {
  readonly #tree: CgroupTree;
  readonly #onChange: (name: ServiceName) => void;
  readonly #onDegraded: (reason: string) => void;
  readonly #watches = new Map<ServiceName, Watch>();
  #degraded = false;

  /** `onDegraded` is called once, when the kernel refuses a watch. */
  constructor(
    tree: CgroupTree,
    onChange: (name: ServiceName) => void,
    onDegraded: (reason: string) => void,
  ) {
    this.#tree = tree;
    this.#onChange = onChange;
    this.#onDegraded = onDegraded;
  }

  /** Whether some cgroups cannot be watched, so that only the relist sees them. */
  get isDegraded(): boolean {
    return this.#degraded;
  }

  /** Watches a service's cgroup; again after it was made anew. Idempotent. */
  watch(name: ServiceName): void {
    const path = this.#tree.service(name);
    const inode = statSync(path, { throwIfNoEntry: false })?.ino;
    if (inode === undefined || this.#watches.get(name)?.inode === inode) return;
    this.unwatch(name);
    try {
      const watcher = watch(join(path, 'cgroup.events'), () => this.#onChange(name));
      watcher.on('error', () => this.unwatch(name));
      this.#watches.set(name, { inode, watcher });
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENODEV')) this.#degrade(messageOf(error));
    }
    // What changed before the watch was there would otherwise be seen only by the relist.
    this.#onChange(name);
  }

  unwatch(name: ServiceName): void {
    this.#watches.get(name)?.watcher.close();
    this.#watches.delete(name);
  }

  close(): void {
    for (const name of [...this.#watches.keys()]) this.unwatch(name);
  }

  #degrade(reason: string): void {
    if (this.#degraded) return;
    this.#degraded = true;
    this.#onDegraded(reason);
  }
}
