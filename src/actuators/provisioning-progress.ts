import type { OwnerChanges } from '../host/change-owner.ts';
import type { ProvisioningEntry } from '../model/provisioning.ts';

/** What of a provisioning was applied, in words: nothing is half-done without a word of it. */
export class Progress {
  readonly #count: number;
  /** One text for each entry that anything of was applied of. */
  readonly #applied: string[] = [];
  #entry: { readonly number: number; readonly path: string } | null = null;
  #steps: string[] = [];
  #leftAlone = 0;

  constructor(entries: number) {
    this.#count = entries;
  }

  /** The entry (counted from 0) that is at work; the one before is complete. */
  beginEntry(index: number, { path }: ProvisioningEntry): void {
    this.#completeEntry('');
    this.#entry = { number: index + 1, path };
  }

  /** A step of the entry is done (or done in part). */
  did(step: string): void {
    this.#steps.push(step);
  }

  /** How much of a step that changes owners was done. */
  didChangeOwners(what: string, { changed, leftAlone }: OwnerChanges): void {
    this.#leftAlone += leftAlone;
    this.did(
      `${what} (${changed === 1 ? '1 file or folder' : `${changed} files and folders`} changed)`,
    );
  }

  /** `2 entries applied: …`. */
  summary(): string {
    this.#completeEntry('');
    const alone =
      this.#leftAlone === 0
        ? ''
        : `; ${this.#leftAlone} links, devices or mounted file systems were left alone`;
    return `${countEntries(this.#count)} applied: ${this.#applied.join('; ')}${alone}`;
  }

  /** `entry 2 of 3 ('/srv/web/bin'): …; already applied: entry 1 …`. */
  failure(reason: string): string {
    const at =
      this.#entry === null
        ? ''
        : `entry ${this.#entry.number} of ${this.#count} ('${this.#entry.path}'): `;
    this.#completeEntry(' in part');
    const applied = this.#applied.length === 0 ? 'nothing' : this.#applied.join('; ');
    return `${at}${reason}; already applied: ${applied}`;
  }

  #completeEntry(how: string): void {
    if (this.#entry === null) return;
    const { number, path } = this.#entry;
    const isNothing = this.#steps.length === 0;
    const steps = isNothing ? 'nothing to change' : this.#steps.join(', ');
    // An entry that failed at its first step has not been applied in any part.
    if (!isNothing || how === '') this.#applied.push(`entry ${number}${how} '${path}': ${steps}`);
    this.#entry = null;
    this.#steps = [];
  }
}

function countEntries(count: number): string {
  return count === 1 ? '1 entry' : `${count} entries`;
}
