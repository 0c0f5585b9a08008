import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { loadPrivateKey } from '../host/private-key.ts';
import { messageOf } from '../lib/errors.ts';

/**
 * The key that hides contents of environment files in their hashes: this host's own, so that nobody
 * can try out values. Where it cannot be kept, one of this daemon's life has to do.
 */
export function environmentKey(
  stateDirectory: string,
  onTrouble: (reason: string) => void,
): () => Buffer {
  return () => {
    try {
      return loadPrivateKey(join(stateDirectory, 'environment.key'));
    } catch (error) {
      onTrouble(
        `${messageOf(error)}; a change of environment files while no daemon runs will not be noticed`,
      );
      return randomBytes(32);
    }
  };
}
