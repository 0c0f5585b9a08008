import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { judgeDirectory } from './own-directory.ts';
import { writeAtomically } from './write-atomically.ts';

const KEY_BYTES = 32;

/**
 * The random key that a file keeps for root alone, made where there is none (or something that is
 * none).
 * @throws ProcessmasterError `unsafe_path` when others may write to its folder, `io`
 */
export function loadPrivateKey(path: string): Buffer {
  judgeDirectory(dirname(path));
  let key: Buffer = randomBytes(KEY_BYTES);
  const keepOrMake = (content: Buffer | null) => {
    if (content?.length !== KEY_BYTES) return key;
    key = content;
    return null;
  };
  writeAtomically(path, keepOrMake, { mode: 0o600, maxBytes: 4_096 });
  return key;
}
