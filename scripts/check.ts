import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { projectRoot, run } from './run.ts';

/** Everything that is checked without running the product; all of it runs, whatever fails. */
const checks: Readonly<Record<string, () => Promise<boolean>>> = {
  types: () => passes('tsc', '--noEmit'),
  'format and lint': () => passes('biome', 'ci'),
  'typed lint': () =>
    passes('eslint', 'src', 'test', 'bench', 'scripts', '--no-error-on-unmatched-pattern'),
  imports: importsGoDown,
  'dead code': () => passes('knip'),
};

const failed: string[] = [];
for (const [name, check] of Object.entries(checks)) {
  console.log(`── ${name}`);
  if (!(await check())) failed.push(name);
}
console.log(failed.length === 0 ? '── all checks passed' : `── failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;

async function passes(tool: string, ...args: string[]): Promise<boolean> {
  return (await run([bin(tool), ...args])) === 0;
}

/** With a compiler it does not know, dependency-cruiser checks nothing and passes; not here. */
async function importsGoDown(): Promise<boolean> {
  const { stdout } = await promisify(execFile)(
    bin('depcruise'),
    ['src', '--config', '.dependency-cruiser.js', '--output-type', 'json'],
    { cwd: projectRoot, maxBuffer: 64 << 20 },
  );
  const { totalCruised, violations } = (JSON.parse(stdout) as Cruise).summary;
  for (const { rule, from, to } of violations) console.log(`${rule.name}: ${from} → ${to}`);
  console.log(`${violations.length} violations in ${totalCruised} modules`);
  return totalCruised > 0 && violations.length === 0;
}

interface Cruise {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly {
      readonly rule: { readonly name: string };
      readonly from: string;
      readonly to: string;
    }[];
  };
}

function bin(tool: string): string {
  return `${projectRoot}/node_modules/.bin/${tool}`;
}
