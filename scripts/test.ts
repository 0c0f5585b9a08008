import { buildIfStale } from './build.ts';
import { missingForDaemon } from './requirements.ts';
import { projectRoot, run } from './run.ts';
import { installMissingPrograms, TEST_PROGRAMS } from './test-packages.ts';

process.exitCode = await test(process.argv.slice(2));

/** All checks, then all tests (or those that `args` select), and what they need before both. */
async function test(args: readonly string[]): Promise<number> {
  const lacks = await missingForDaemon('npm test');
  for (const lack of lacks) console.error(`cannot run the tests: this machine ${lack}`);
  if (lacks.length > 0) return 1;

  const missing = await installMissingPrograms(TEST_PROGRAMS);
  if (missing.length > 0) {
    console.error(`cannot run the tests: ${missing.join(', ')} not found (install and try again)`);
    return 1;
  }

  const checks = await run([process.execPath, 'scripts/check.ts']);
  if (checks !== 0) return checks;
  await buildIfStale();
  return run([process.execPath, `${projectRoot}/node_modules/vitest/vitest.mjs`, 'run', ...args]);
}
