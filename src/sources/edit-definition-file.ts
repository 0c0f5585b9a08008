import { writeAtomically } from '../host/write-atomically.ts';
import { ProcessmasterError } from '../lib/errors.ts';
import { formatProblem, type Problem } from '../model/desired.ts';
import { editEnabled } from './edit-definition.ts';
import { MAX_FILE_BYTES } from './yaml-limits.ts';

/** What became of the file. */
export type FileEdit = 'edited' | 'created' | 'unchanged';

/** Of a definition that is made for a folder that has none; its folder's owner is its owner. */
const NEW_FILE_MODE = 0o644;

export interface EditOptions {
  /** Whether a missing file stands for the defaults (an auto service), and is written. */
  readonly mayCreate: boolean;
}

/**
 * Sets `global.enabled` in a service file (absolute path), see {@link editEnabled}; the file is
 * replaced as a whole and keeps its owner and mode.
 * @throws ProcessmasterError `invalid_config` when the text cannot be edited, `not_found` when there
 *   is no file, and what writeAtomically() throws; then nothing has changed.
 */
export function setEnabledInFile(
  file: string,
  enabled: boolean,
  { mayCreate }: EditOptions,
): FileEdit {
  let refusal: ProcessmasterError | null = null;
  let edit: FileEdit = 'unchanged';
  const change = (content: Buffer | null): string | null => {
    const changed = changeOf(file, content, enabled, mayCreate);
    refusal = changed instanceof ProcessmasterError ? changed : null;
    if (changed instanceof ProcessmasterError || changed === null) return null;
    edit = content === null ? 'created' : 'edited';
    return changed;
  };
  const isWritten = writeAtomically(file, change, {
    mode: NEW_FILE_MODE,
    maxBytes: MAX_FILE_BYTES,
  });
  // It names the file and the place by itself, so it is thrown where nothing is put before it.
  if (refusal !== null) throw refusal;
  return isWritten ? edit : 'unchanged';
}

/** The new text, `null` where there is nothing to change, or why it cannot be changed. */
function changeOf(
  file: string,
  content: Buffer | null,
  enabled: boolean,
  mayCreate: boolean,
): string | null | ProcessmasterError {
  if (content === null && !mayCreate) {
    return new ProcessmasterError('not_found', `cannot edit '${file}': it is gone`);
  }
  // The default is to be enabled.
  if (content === null) return enabled ? null : minimalDefinition();
  const edit = editEnabled(file, content, enabled);
  switch (edit.kind) {
    case 'refused':
      return refusalOf(edit.problems);
    case 'unchanged':
      return null;
    case 'edited':
      return edit.text;
  }
}

/** Says no more than was asked: all else stays at its defaults. */
function minimalDefinition(): string {
  return [
    '# Written by pmctl disable; everything that is not said here has its default.',
    'global:',
    '  enabled: false',
    '',
  ].join('\n');
}

function refusalOf(problems: readonly Problem[]): ProcessmasterError {
  return new ProcessmasterError('invalid_config', problems.map(formatProblem).join('; '));
}
