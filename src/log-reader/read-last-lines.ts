import type { EndOfFile } from '../logs/tail.ts';
import { findLastLines } from './find-start.ts';
import { OpenSegments } from './open-segments.ts';
import { readLog } from './read-log.ts';

/**
 * The last lines of a log with its backups, in one piece of at most `maxBytes` (and a piece more).
 * @throws ProcessmasterError when a file is there and cannot (or must not) be read
 */
export async function readLastLines(
  path: string,
  lines: number,
  maxBytes: number,
): Promise<EndOfFile> {
  const kept = new OpenSegments();
  const options = { untilMs: null, toTheEnd: true };
  let position = await findLastLines(path, lines);
  let bytes: Buffer = Buffer.alloc(0);
  let isCut = false;
  for (;;) {
    const piece = await readLog(kept, path, position, options);
    bytes = Buffer.concat([bytes, Buffer.from(piece.text)]);
    if (bytes.length > maxBytes) {
      bytes = bytes.subarray(bytes.length - maxBytes);
      isCut = true;
    }
    if (piece.at_end) return { bytes, isCut };
    position = piece.position;
  }
}
