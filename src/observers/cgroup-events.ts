import { existsSync, type FSWatcher, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { CgroupTree } from '../host/cgroup-tree.ts';
import { whyNotWatched } from '../host/inotify-limits.ts';
import { isErrno } from '../lib/errors.ts';
import type { ServiceName } from '../model/service-name.ts';

interface Watch {
  /** Inode of the cgroup's folder: a cgroup made anew under the same name needs a new watch. */
  readonly inode: number;
  readonly watchers: readonly FSWatcher[];
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
  readonly #onDegraded: (reason: string | null) => void;
  readonly #watches = new Map<ServiceName, Watch>();
  /** Whose cgroups the kernel would not watch. */
  readonly #refused = new Set<ServiceName>();
  /** Until the kernel is known to watch again, be it that those refused are gone meanwhile. */
  #degraded = false;

  /** `onDegraded` is called with why when the kernel refuses a watch, and with null when none is refused. */
  constructor(
    tree: CgroupTree,
    onChange: (name: ServiceName) => void,
    onDegraded: (reason: string | null) => void,
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
    // What changed before the watch was there would otherwise be seen only by the relist.
    if (this.watchNew(name)) this.#onChange(name);
  }

  /** Watches a cgroup in which nothing can have happened yet. Returns false when it was watched already. */
  watchNew(name: ServiceName): boolean {
    const path = this.#tree.service(name);
    const inode = statSync(path, { throwIfNoEntry: false })?.ino;
    if (inode === undefined) this.#refused.delete(name);
    if (inode === undefined || this.#watches.get(name)?.inode === inode) return false;
    this.#drop(name);
    try {
      this.#watches.set(name, { inode, watchers: this.#watchFiles(name, path) });
      this.#refused.delete(name);
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENODEV')) this.#refused.delete(name);
      else this.#refuse(name, whyNotWatched(error));
    }
    return true;
  }

  /** Tries those again that the kernel refused to watch: there may be room by now. */
  retry(): void {
    if (!this.#degraded) return;
    for (const name of [...this.#refused]) {
      this.watch(name);
      // Where there is no room for one, there is none for the others.
      if (this.#refused.has(name)) return;
    }
    if (!isRoom()) return;
    this.#degraded = false;
    this.#onDegraded(null);
  }

  unwatch(name: ServiceName): void {
    this.#drop(name);
    this.#refused.delete(name);
  }

  close(): void {
    for (const name of [...this.#watches.keys()]) this.unwatch(name);
  }

  /** What is killed for a lack of memory need not be all of a service: that changes another file. */
  #watchFiles(name: ServiceName, path: string): readonly FSWatcher[] {
    const memory = join(path, 'memory.events');
    const files = [join(path, 'cgroup.events'), ...(existsSync(memory) ? [memory] : [])];
    return files.map((file) => {
      const watcher = watch(file, () => this.#onChange(name));
      return watcher.on('error', () => this.unwatch(name));
    });
  }

  #drop(name: ServiceName): void {
    for (const watcher of this.#watches.get(name)?.watchers ?? []) watcher.close();
    this.#watches.delete(name);
  }

  #refuse(name: ServiceName, reason: string): void {
    this.#refused.add(name);
    if (this.#degraded) return;
    this.#degraded = true;
    this.#onDegraded(`cannot watch cgroups: ${reason}; they are looked at every two seconds`);
  }
}

/** Whether the kernel would watch one more thing. */
function isRoom(): boolean {
  try {
    watch('/').close();
    return true;
  } catch {
    return false;
  }
}
