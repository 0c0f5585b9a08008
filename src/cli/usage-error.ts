import { ProcessmasterError } from '../lib/errors.ts';

/** A command line that means nothing: exit code 2. */
export class UsageError extends ProcessmasterError {
  /** The command that was used wrongly; `null` when it is not even known. */
  readonly command: string | null;

  constructor(command: string | null, message: string) {
    super('invalid_argument', message);
    this.command = command;
  }
}
