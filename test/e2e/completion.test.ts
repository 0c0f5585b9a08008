import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { startInstance } from './harness.ts';
import { program } from './programs.ts';
import { Terminal } from './terminal.ts';

/** How each shell is started without anybody's settings, and what makes it complete. */
const SHELLS = {
  bash: ['bash --norc -i', 'source <(pmctl completion bash)'],
  zsh: ['zsh -f', 'autoload -Uz compinit && compinit -D && source <(pmctl completion zsh)'],
  fish: ['fish --no-config', 'pmctl completion fish | source'],
} as const;

test.each(Object.entries(SHELLS))(
  '%s completes commands, options, values and names',
  async (_shell, [command, setup]) => {
    const instance = await startInstance();
    instance.defineScript('payments-worker', 'exec sleep 1000');
    await instance.running('payments-worker', 1);
    const folder = dirname(await program('pmctl'));
    const env = {
      PATH: `${folder}:/usr/bin:/bin`,
      HOME: instance.root,
      PMCTL_SOCK: instance.socket,
      TERM: 'screen',
    };
    const terminal = await Terminal.run(command, env);
    const enter = async (text: string, ...keys: string[]) => {
      await terminal.type(text);
      await terminal.press(...keys);
    };
    await enter(`${setup}; printf 'is-%d\\n' 0x2a`, 'Enter');
    await terminal.shows('is-42');
    for (const [typed, completed] of [
      ['pmctl resta', 'pmctl restart '],
      ['pmctl stop pay', 'pmctl stop payments-worker '],
      ['pmctl start --forc', 'pmctl start --force '],
      ['pmctl status -o js', 'pmctl status -o json '],
    ] as const) {
      await enter(typed, 'Tab');
      await terminal.shows(completed.trimEnd());
      // What is there is taken back: nothing of it is run.
      await terminal.press('C-c');
    }
    expect(instance.pidsOf('payments-worker')).toHaveLength(1);
  },
);
