import { createExclusively } from '../host/create-exclusively.ts';
import { type Kept, replaceKeeping } from '../host/replace-keeping.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf, ProcessmasterError } from '../lib/errors.ts';
import { defaultDefinitionText } from '../model/default-definition.ts';
import type { ServiceEvent } from '../model/event.ts';
import type { FileWish } from './file-wish.ts';
import { DEFINITION_NAMES, REGENERATE_MARKER } from './service-folder.ts';
import { MAX_FILE_BYTES } from './yaml-limits.ts';

export interface WriterPorts {
  readonly clock: Clock;
  readonly emit: (event: ServiceEvent) => void;
}

/** A wish that could not be fulfilled. */
interface Failure {
  readonly wish: FileWish;
  readonly message: string;
  /** Monotonic. */
  readonly retryAtMs: number;
}

const RETRY_MS = 60_000;
const MODE = 0o644;

/**
 * Writes the definitions that sources wish for. Nothing depends on it: without its file, a service
 * runs on the defaults that would be in it.
 *
 * INVARIANTS: what goes wrong is said once, and again when it goes wrong in another way; a wish that
 * is not wished any more is forgotten.
 */
export class DefinitionWriter {
  readonly #ports: WriterPorts;
  #failures: ReadonlyMap<string, Failure> = new Map();

  constructor(ports: WriterPorts) {
    this.#ports = ports;
  }

  /**
   * Fulfils what it can of all that is wished for now; `eager` tries at once what failed lately, too.
   * Gives the folders in which something was written. Never throws.
   */
  fulfil(wishes: readonly FileWish[], eager: boolean): ReadonlySet<string> {
    const failures = new Map<string, Failure>();
    const written = new Set<string>();
    for (const wish of wishes) {
      const id = `${wish.kind} ${wish.folder}`;
      const before = this.#failures.get(id) ?? null;
      const result = this.#isDue(wish, before, eager) ? this.#try(wish, before) : before;
      if (result === 'written') written.add(wish.folder);
      else if (result !== null) failures.set(id, result);
    }
    this.#failures = failures;
    return written;
  }

  /** What could not be written so far, for people. */
  warnings(): readonly string[] {
    return [...this.#failures.values()].map(
      ({ wish, message }) => `'${wish.service}': ${message}; ${consequenceOf(wish)}`,
    );
  }

  #isDue({ version }: FileWish, failure: Failure | null, eager: boolean): boolean {
    if (eager || failure === null || failure.wish.version !== version) return true;
    return this.#ports.clock.monotonicMs() >= failure.retryAtMs;
  }

  /** Null when somebody else has settled it meanwhile. */
  #try(wish: FileWish, before: Failure | null): Failure | 'written' | null {
    try {
      return this.#write(wish) ? 'written' : null;
    } catch (error) {
      if (!(error instanceof ProcessmasterError)) throw error;
      const message = messageOf(error);
      if (message !== before?.message) {
        this.#say(wish, `definition.${wish.kind}-failed`, `${message}; ${consequenceOf(wish)}`);
      }
      return { wish, message, retryAtMs: this.#ports.clock.monotonicMs() + RETRY_MS };
    }
  }

  #write(wish: FileWish): boolean {
    const file = `${wish.folder}/${DEFINITION_NAMES[0]}`;
    const data = defaultDefinitionText();
    if (wish.kind === 'generate') {
      const isMade = createExclusively(file, data, MODE);
      if (isMade) this.#say(wish, 'definition.generated', `wrote the defaults to ${file}`);
      return isMade;
    }
    const kept = replaceKeeping({
      folder: wish.folder,
      names: DEFINITION_NAMES,
      data,
      mode: MODE,
      marker: REGENERATE_MARKER,
      maxBytes: MAX_FILE_BYTES,
    });
    if (kept === null) return false;
    this.#say(wish, 'definition.regenerated', `wrote the defaults to ${file}${describeKept(kept)}`);
    return true;
  }

  #say({ service, folder }: FileWish, kind: string, message: string): void {
    const atMs = this.#ports.clock.wallMs();
    this.#ports.emit({ atMs, service, kind, message, actor: 'source', data: { folder } });
  }
}

function describeKept(kept: readonly Kept[]): string {
  return kept.map(({ name, backup }) => `; ${name} is now ${backup}`).join('');
}

function consequenceOf({ kind }: FileWish): string {
  return kind === 'generate'
    ? 'it runs on the defaults all the same'
    : `its definition stays as it is, and ${REGENERATE_MARKER} where it is`;
}
