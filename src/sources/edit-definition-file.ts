import { writeAtomically } from '../host/write-atomically.ts';
import { ProcessmasterError } from '../lib/errors.ts';
import { formatProblem, type Problem } from '../model/desired.ts';
import { editEnabled } from './edit-definition.ts';
import { MAX_FILE_BYTES } from './yaml-document.ts';

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
  let edit: FileEdit = 'unchanged';
  const change = (content: Buffer | null): string | null => {
    edit = 'unchanged';
    if (content === null) {
      if (!mayCreate) throw new ProcessmasterError('not_found', `'${file}' is gone`);
      if (enabled) return null;
      edit = 'created';
      return minimalDefinition();
    }
    const result = editEnabled(file, content, enabled);
    if (result.kind === 'refused') throw refusal(result.problems);
    if (result.kind === 'unchanged') return null;
    edit = 'edited';
    return result.text;
  };
  writeAtomically(file, change, { mode: NEW_FILE_MODE, maxBytes: MAX_FILE_BYTES });
  return edit;
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

function refusal(problems: readonly Problem[]): ProcessmasterError {
  return new ProcessmasterError('invalid_config', problems.map(formatProblem).join('; '));
}
