import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Interpreted } from '../../src/model/config-issue.ts';
import { interpretDaemonConfig } from '../../src/model/daemon-config.ts';
import { interpretService } from '../../src/model/service-definition.ts';
import { parseServiceName } from '../../src/model/service-name.ts';
import { readDaemonConfig } from '../../src/sources/daemon-config-file.ts';
import { readServiceFile } from '../../src/sources/service-file.ts';
import { examples, program, readme, runProgram } from './programs.ts';

test('every example loads, as it lies there and when it is dropped', async () => {
  const folder = scratch();
  cpSync(examples, folder, { recursive: true });
  const check = async (config: string) =>
    runProgram(await program('processmaster'), ['--check', '-c', join(folder, config)]);

  const before = await check('config.yaml');
  expect(before).toEqual({ code: 0, stdout: expect.stringContaining('4 services'), stderr: '' });

  copyFileSync(join(folder, 'web.yaml'), join(folder, 'config.d/web.yaml'));
  copyFileSync(join(folder, 'service.full.yaml'), join(folder, 'config.d/full.yaml'));
  const after = await check('config.full.yaml');
  expect(after).toEqual({ code: 0, stdout: expect.stringContaining('6 services'), stderr: '' });
});

test('the full examples and the README name every key', () => {
  const master = knownKeys(
    [
      'cgroup',
      'unix_socket',
      'global',
      'journal',
      'logs',
      'web_console',
      'web_console.tls',
      'web_console.auth.basic',
    ],
    (raw) => interpretDaemonConfig(raw, '/'),
  );
  const service = knownKeys(
    ['process', 'logs', 'restart_policy', 'resources', 'restart_policy.tolerance', 'global'],
    interpretDefinition,
  );
  expect(master.length + service.length).toBeGreaterThan(40);

  const config = readFileSync(join(examples, 'config.full.yaml'), 'utf8');
  expect(master.filter((key) => !config.includes(`${key}:`))).toEqual([]);
  const definition = readFileSync(join(examples, 'service.full.yaml'), 'utf8');
  expect(service.filter((key) => !definition.includes(`${key}:`))).toEqual([]);
  const manual = readFileSync(readme, 'utf8');
  expect([...master, ...service].filter((key) => !manual.includes(key))).toEqual([]);
});

test('every YAML block of the README loads', () => {
  const folder = scratch();
  const blocks = [
    ...readFileSync(readme, 'utf8').matchAll(/^```yaml\n(# (\S+).*\n[\s\S]*?)^```$/gm),
  ];
  expect(blocks.length).toBe(readFileSync(readme, 'utf8').split('```yaml').length - 1);
  expect(blocks.length).toBeGreaterThan(2);

  for (const [, text = '', name = ''] of blocks) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    const folderName = parseServiceName(name.split('/').at(-2) ?? '');
    const autoService = { folderName, defaultUser: null, defaultGroup: null };
    const reading = name.startsWith('auto_services/')
      ? readServiceFile(file, autoService)
      : name.startsWith('config.d/')
        ? readServiceFile(file)
        : readDaemonConfig(file);
    expect(reading).toMatchObject({ kind: 'valid', file });
  }
});

/** The keys that a message names as known in each section. */
function knownKeys(
  sections: readonly string[],
  interpret: (raw: unknown) => Interpreted<unknown>,
): readonly string[] {
  return sections.flatMap((section) => {
    const odd = section.split('.').reduceRight<unknown>((value, key) => ({ [key]: value }), {
      qqqqqqqqqqqqqqqq: 1,
    });
    const result = interpret(odd);
    const said = result.ok ? '' : result.issues.map(({ message }) => message).join('\n');
    const known = /known here: (.*)/.exec(said)?.[1]?.split(', ') ?? [];
    expect(known).not.toEqual([]);
    return known;
  });
}

function interpretDefinition(raw: unknown): Interpreted<unknown> {
  return interpretService(raw, {
    defaultName: null,
    requiredName: null,
    baseDirectory: '/',
    defaultWorkingDirectory: '/',
    defaultUser: null,
    defaultGroup: null,
  });
}

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pmtest-examples-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
