import { createInterface } from 'node:readline';
import { isatty } from 'node:tty';
import type { Invocation } from './invocation.ts';
import { UsageError } from './usage-error.ts';

const EXIT_INTERRUPTED = 130;
const END_OF_INPUT = '\x04';
const INTERRUPT = '\x03';
const ERASE = ['\x7f', '\b'];

/** One line from stdin; on a terminal after a prompt, without an echo. @throws UsageError when there is none */
export async function readSecret(
  command: string,
  prompt: string,
  { complain }: Pick<Invocation, 'complain'>,
): Promise<string> {
  const secret = isatty(0) ? await readTyped(prompt, complain) : await readLine();
  if (secret === null) throw new UsageError(command, 'cannot read a password: stdin has no line');
  return secret;
}

async function readLine(): Promise<string | null> {
  const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    lines.close();
    return line;
  }
  return null;
}

async function readTyped(prompt: string, complain: Invocation['complain']): Promise<string | null> {
  await complain(prompt);
  process.stdin.setRawMode(true).setEncoding('utf8').resume();
  try {
    return await typed();
  } finally {
    process.stdin.setRawMode(false).pause();
    await complain('\n');
  }
}

function typed(): Promise<string | null> {
  return new Promise((resolve) => {
    let characters: readonly string[] = [];
    const settle = (secret: string | null) => {
      process.stdin.off('data', take);
      resolve(secret);
    };
    const take = (text: string) => {
      for (const character of text) {
        if (character === '\r' || character === '\n') return settle(characters.join(''));
        if (character === END_OF_INPUT)
          return settle(characters.length === 0 ? null : characters.join(''));
        if (character === INTERRUPT) {
          process.stdin.setRawMode(false);
          process.exit(EXIT_INTERRUPTED);
        }
        characters = ERASE.includes(character)
          ? characters.slice(0, -1)
          : [...characters, character];
      }
    };
    process.stdin.on('data', take);
  });
}
