import { expect, test } from 'vitest';
import { decodeExit } from '../../src/api/decode-exit.ts';
import type { Exit } from '../../src/model/history.ts';

test.for<readonly [Exit, string]>([
  [{ kind: 'exited', code: 0 }, 'exit code 0 (success)'],
  [{ kind: 'exited', code: 7 }, 'exit code 7 (success)'],
  [{ kind: 'exited', code: 3 }, 'exit code 3'],
  [{ kind: 'exited', code: 64 }, 'exit code 64'],
  [{ kind: 'exited', code: 126 }, 'exit code 126 (from a shell: a command cannot be executed)'],
  [{ kind: 'exited', code: 127 }, 'exit code 127 (from a shell: a command was not found)'],
  [{ kind: 'exited', code: 128 }, 'exit code 128'],
  [{ kind: 'exited', code: 137 }, 'exit code 137 (from a shell: 128 + 9, ended by SIGKILL)'],
  [{ kind: 'exited', code: 143 }, 'exit code 143 (from a shell: 128 + 15, ended by SIGTERM)'],
  // Nothing ends by these: the number means something else.
  [{ kind: 'exited', code: 146 }, 'exit code 146'],
  [{ kind: 'exited', code: 192 }, 'exit code 192'],
  [{ kind: 'exited', code: 255 }, 'exit code 255'],
  [{ kind: 'signaled', signal: 'SIGSEGV' }, 'killed by SIGSEGV (segmentation fault)'],
  [{ kind: 'signaled', signal: 'SIGRTMIN' }, 'killed by SIGRTMIN'],
  [
    { kind: 'launch_failed', stage: 'chdir', message: 'no such folder' },
    "could not be started, at the stage 'chdir': no such folder",
  ],
  [{ kind: 'unknown', reason: 'nobody saw it' }, 'exit status unknown (nobody saw it)'],
])('%j reads as %s', ([exit, words]) => {
  expect(decodeExit(exit, [0, 7])).toBe(words);
});
