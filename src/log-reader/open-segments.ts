import { type OpenSegment, openSegment } from './segment-bytes.ts';
import type { Segment } from './segments.ts';

/** Each has a descriptor and what zlib needs, some 100 KiB. */
const MOST_KEPT = 4;
const KEPT_FOR_MS = 5_000;

interface Kept {
  readonly inode: number;
  readonly offset: number;
  readonly open: OpenSegment;
  readonly timer: NodeJS.Timeout;
}

/**
 * Keeps compressed files open between two questions for a moment: whoever reads on where an answer
 * ended does not have all before it decompressed again.
 */
export class OpenSegments {
  readonly #kept: Kept[] = [];

  /** Has `act` read in a file from an offset on. `act` gives where somebody may read on. */
  async use<T extends { readonly offset: number }>(
    segment: Segment,
    offset: number,
    act: (open: OpenSegment) => Promise<T>,
  ): Promise<T> {
    const open = this.#take(segment, offset) ?? openSegment(segment);
    try {
      const result = await act(open);
      if (segment.isCompressed) this.#keep(segment.inode, result.offset, open);
      else open.close();
      return result;
    } catch (error) {
      open.close();
      throw error;
    }
  }

  #take({ inode }: Segment, offset: number): OpenSegment | null {
    const at = this.#kept.findIndex((one) => one.inode === inode && one.offset === offset);
    const [taken] = at === -1 ? [] : this.#kept.splice(at, 1);
    clearTimeout(taken?.timer);
    return taken?.open ?? null;
  }

  #keep(inode: number, offset: number, open: OpenSegment): void {
    const timer = setTimeout(() => this.#drop(kept), KEPT_FOR_MS).unref();
    const kept = { inode, offset, open, timer };
    this.#kept.push(kept);
    const [oldest] = this.#kept;
    if (this.#kept.length > MOST_KEPT && oldest !== undefined) this.#drop(oldest);
  }

  #drop(kept: Kept): void {
    const at = this.#kept.indexOf(kept);
    if (at === -1) return;
    this.#kept.splice(at, 1);
    clearTimeout(kept.timer);
    kept.open.close();
  }
}
