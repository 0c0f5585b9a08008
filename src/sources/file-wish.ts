import type { ServiceName } from '../model/service-name.ts';

/** A file that a source would have in a folder, for somebody who may write. */
export interface FileWish {
  /**
   * `generate`: a definition with every default, as none is there; `regenerate`: such a one instead of
   * what is there, since a marker asks for it.
   */
  readonly kind: 'generate' | 'regenerate';
  readonly service: ServiceName;
  /** Absolute. */
  readonly folder: string;
  /** Another one when what it depends on has changed: then it is worth another try. */
  readonly version: string;
}
