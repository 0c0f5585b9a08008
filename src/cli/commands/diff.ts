import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf, ProcessmasterError } from '../../lib/errors.ts';
import { type Invocation, json, type Output } from '../invocation.ts';
import { exitCodeOfDiff, renderDiff } from '../render-diff.ts';
import { renderTroubles } from '../render-update.ts';

/** Reading ten thousand definitions takes seconds. */
const TIMEOUT_MS = 120_000;
/** More is no definition. */
const MAX_BYTES = 1_048_576;
/** What the daemon takes at once, less what the request is wrapped in. */
const MAX_REQUEST_BYTES = MAX_BYTES - 1_024;

export async function run({
  operands,
  values,
  format,
  terminal,
  call,
}: Invocation): Promise<Output> {
  const files = operands.map(readProposed);
  if (JSON.stringify(files).length > MAX_REQUEST_BYTES) {
    const why = 'together they are more than 1 MiB (name fewer at a time)';
    throw new ProcessmasterError(
      'invalid_argument',
      `cannot compare ${files.length} files: ${why}`,
    );
  }
  const prune = values.prune === true;
  const diff = await call('sources.diff', { prune, files }, TIMEOUT_MS);
  return {
    stdout: format === 'json' ? json(diff) : renderDiff(diff, terminal),
    stderr: renderTroubles(diff),
    exitCode: exitCodeOfDiff(diff, values['exit-code'] === true),
  };
}

/** Read here, as the user who asks: the daemon opens nothing on anybody's behalf. */
function readProposed(operand: string): { readonly file: string; readonly text: string } {
  const file = resolve(operand);
  const bytes = readBounded(file);
  if (bytes.length > MAX_BYTES) throw unusable(file, 'expected at most 1 MiB');
  if (!isUtf8(bytes)) throw unusable(file, 'expected UTF-8 text, got bytes that are none');
  return { file, text: bytes.toString('utf8') };
}

/** At most one byte too many. */
function readBounded(file: string): Buffer {
  const buffer = Buffer.alloc(MAX_BYTES + 1);
  let length = 0;
  try {
    const fd = openSync(file, 'r');
    try {
      for (let got = -1; got !== 0 && length < buffer.length; length += got) {
        got = readSync(fd, buffer, length, buffer.length - length, null);
      }
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw new ProcessmasterError('io', `cannot read '${file}': ${messageOf(cause)}`, { cause });
  }
  return buffer.subarray(0, length);
}

function unusable(file: string, why: string): ProcessmasterError {
  return new ProcessmasterError('invalid_config', `cannot use '${file}': ${why}`);
}
