import { chmod, glob, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { preamble } from './preamble.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

/**
 * A small heap that stays small, little compiled code, and no threads beside the one that works: they
 * win nothing on a heap of this size, and take a tenth of the CPU when thousands of jobs begin at once.
 */
const LEAN = ['--max-semi-space-size=1', '--max-opt=1', '--single-threaded'];

/** The programs of the package, and what Node gets on its command line for each. */
const programs = [
  {
    name: 'processmaster',
    entry: 'src/daemon/processmaster.ts',
    // The journal's SQLite is experimental on Node 22 and says so.
    flags: [...LEAN, '--disable-warning=ExperimentalWarning'],
    // Freed memory goes back to the system: 2 MB less at any number of services.
    // The name it was started by may lead to another build at the next restart.
    environment: ['MALLOC_TRIM_THRESHOLD_=65536', 'PROCESSMASTER_STARTED_AS="$0"'],
    // An upgrade is asked for by SIGUSR2, and may be asked for twice.
    ignoredSignals: ['USR2', 'HUP'],
  },
  {
    name: 'keeper',
    entry: 'src/keeper/main.ts',
    flags: LEAN,
    environment: ['MALLOC_TRIM_THRESHOLD_=65536'],
    // Whoever signals the daemon's whole group means the daemon.
    ignoredSignals: ['USR2', 'HUP', 'TERM', 'INT'],
  },
  {
    name: 'console',
    entry: 'src/web/server/main.ts',
    flags: ['--max-old-space-size=160'],
    environment: [],
    // Whoever signals the daemon's whole group means the daemon.
    ignoredSignals: ['USR2', 'HUP'],
  },
  // Any V8 flag makes Node refuse its built-in code cache, which costs 5 ms at each start; a
  // compile cache of ours would win 1 to 2 ms and needs a folder that nobody else can write.
  { name: 'pmctl', entry: 'src/cli/pmctl.ts', flags: [], environment: [], ignoredSignals: [] },
] as const;

/** What one command of pmctl alone needs: parts of it that are kept out of all that starts with it. */
const parts = [
  { name: 'validate', entry: 'src/sources/validate-files.ts' },
  { name: 'password', entry: 'src/lib/password-hash.ts' },
] as const;

/**
 * Bundles each program into one minified CommonJS file in `dist/`: that form starts fastest and
 * takes the least memory. Both carry the same build host and time, by which the daemon knows the
 * clients that were built together with it. A build that fails leaves the last one in place.
 */
export async function build(): Promise<void> {
  const { version, oldestNode } = await packageFacts();
  const define = {
    __BUILD_HOST__: JSON.stringify(hostname()),
    __BUILD_TIME__: JSON.stringify(new Date().toISOString()),
    __BUILD_VERSION__: JSON.stringify(version),
  };
  const staging = join(dist, `.building-${process.pid}`);
  try {
    await mkdir(staging, { recursive: true });
    for (const program of programs) {
      const file = join(staging, program.name);
      await bundle(program.entry, file, define, preamble(program, oldestNode));
      await chmod(file, 0o755);
    }
    for (const part of parts) await bundle(part.entry, join(staging, part.name), define, '');
    await writeFile(join(staging, 'package.json'), '{"type":"commonjs"}\n');
    for (const file of outputs()) await rename(join(staging, file), join(dist, file));
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Builds unless `dist/` is newer than everything it is made of: a running daemon stays co-built. */
export async function buildIfStale(): Promise<void> {
  const inputs = [join(root, 'package-lock.json'), import.meta.filename];
  for await (const file of glob('{src/**,scripts/preamble.ts}', { cwd: root })) {
    inputs.push(join(root, file));
  }
  const [built, changed] = await Promise.all([
    Promise.all(outputs().map((file) => modifiedAtMs(join(dist, file)))),
    Promise.all(inputs.map(modifiedAtMs)),
  ]);
  if (Math.min(...built) <= Math.max(...changed)) await build();
}

async function bundle(
  entry: string,
  file: string,
  define: Record<string, string>,
  postBanner: string,
): Promise<void> {
  const bundled = await rolldown({
    input: join(root, entry),
    platform: 'node',
    external: (id, _importer, isResolved) =>
      isResolved && id !== join(root, entry) && parts.some((part) => id === join(root, part.entry)),
    // Old enough that any Node gets as far as the line that tells it is too old.
    transform: { target: 'node16', define },
    onLog(level, log) {
      if (level === 'warn') throw new Error(`cannot bundle '${entry}': ${log.message}`);
    },
  });
  await bundled.write({
    file,
    format: 'cjs',
    minify: true,
    codeSplitting: false,
    postBanner,
    paths: Object.fromEntries(parts.map((part) => [join(root, part.entry), `./${part.name}`])),
  });
  await bundled.close();
  await writeFile(file, asciiOnly(await readFile(file, 'utf8')));
}

/** One character beyond Latin-1 would make V8 keep the whole bundle in two bytes a character. */
function asciiOnly(code: string): string {
  return code.replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

async function packageFacts(): Promise<{ version: string; oldestNode: string }> {
  const { version, engines } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    version: string;
    engines: { node: string };
  };
  return { version, oldestNode: engines.node.replace('>=', '') };
}

function outputs(): readonly string[] {
  return [...[...programs, ...parts].map(({ name }) => name), 'package.json'];
}

async function modifiedAtMs(file: string): Promise<number> {
  return (await stat(file).catch(() => null))?.mtimeMs ?? 0;
}

if (import.meta.main) await (process.argv.includes('--if-stale') ? buildIfStale() : build());
