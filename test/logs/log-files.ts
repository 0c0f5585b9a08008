import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Names of the backups of a log file, newest first. */
export function backupNames(path: string): readonly string[] {
  const pattern = new RegExp(`^${escaped(basename(path))}\\.(\\d+)(?:\\.gz)?$`);
  const numbered = readdirSync(dirname(path)).flatMap((name) => {
    const match = pattern.exec(name);
    return match === null ? [] : [{ name, number: Number(match[1]) }];
  });
  return numbered.toSorted((a, b) => a.number - b.number).map(({ name }) => name);
}

/** The content of each backup, newest first. */
export function backupContents(path: string): readonly Buffer[] {
  return backupNames(path).map((name) => {
    const bytes = readFileSync(join(dirname(path), name));
    return name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  });
}

/** Everything that was ever written to a log file and is still there, oldest first. */
export function wholeLog(path: string): Buffer {
  const live = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  return Buffer.concat([...backupContents(path).toReversed(), live]);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
