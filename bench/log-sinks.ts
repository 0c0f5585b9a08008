import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cpuMs, createCgroup, endCgroup } from './cgroup.ts';
import { commandExists, run } from './command.ts';
import type { Bench, RunningPeer } from './running-peer.ts';

/** What one stream at full speed came to. */
export interface Throughput {
  readonly megabytesPerSecond: number;
  /** Of what takes the stream, the compression of what was put aside not included. */
  readonly cpuMsPerMegabyte: number;
}

/** The stream: a file that is in the page cache, said several times. */
export interface Stream {
  readonly script: string;
  readonly megabytes: number;
}

/** Each run is another service: one that is removed and back at once would only have changed. */
let services = 0;
const FINISHED_WITHIN_MS = 120_000;
const LINE = `${'0123456789'.repeat(9)}012345678\n`;
const FILE_BYTES = 64_000_000;

/** Writes the file and a script that says it `times` times and then, to `$1`, how many ns it took. */
export function makeStream(folder: string, times: number): Stream {
  const [file, script] = [join(folder, 'stream'), join(folder, 'stream.sh')];
  writeFileSync(file, LINE.repeat(FILE_BYTES / LINE.length));
  const copies = Array.from({ length: times }, () => `'${file}'`).join(' ');
  writeFileSync(script, `s=$(date +%s%N); cat ${copies}; e=$(date +%s%N); echo $((e-s)) >"$1"\n`);
  return { script, megabytes: (FILE_BYTES * times) / 1e6 };
}

/** A service of processmaster that says the stream; all but compression as it is by default. */
export async function throughService(
  peer: RunningPeer,
  stream: Stream,
  { compress, signal }: { readonly compress: boolean; readonly signal: AbortSignal },
): Promise<Throughput> {
  const { environment, helperCgroup } = peer.instance;
  const folder = dirname(dirname(environment.PMCTL_SOCK ?? ''));
  services += 1;
  const service = `loud${services}`;
  const [work, result] = [join(folder, 'work', service), join(folder, 'result')];
  const definition = join(folder, 'config.d', `${service}.yaml`);
  mkdirSync(work, { recursive: true });
  const spec = {
    process: { working_directory: work, start_command: ['/bin/sh', stream.script, result] },
    logs: { compression_enabled: compress },
    restart_policy: { policy: 'never' },
  };
  const before = cpuMs(helperCgroup ?? '');
  writeFileSync(definition, JSON.stringify(spec));
  const ns = await resultIn(result, signal);
  const cpu = cpuMs(helperCgroup ?? '') - before;
  for (const path of [definition, result, work]) rmSync(path, { recursive: true });
  return figures(stream, ns, cpu);
}

/** The same stream through a pipe into a program that keeps it. */
export async function throughPipe(
  bench: Bench,
  stream: Stream,
  sink: 'cat' | 'svlogd',
): Promise<Throughput> {
  const folder = join(bench.folder, sink);
  const cgroup = join(bench.cgroupMount, `pmbench-${process.pid}-sink`);
  const result = join(folder, 'result');
  mkdirSync(join(folder, 'logs'), { recursive: true });
  writeFileSync(join(folder, 'logs/config'), 's10000000\nn10\n');
  createCgroup(cgroup);
  try {
    const program = sink === 'cat' ? 'exec cat >logs/current' : `exec ${await svlogd(bench)} logs`;
    const script = `sh "$1" result | (echo 0 >"$2/cgroup.procs" && ${program})`;
    const shell = ['/bin/sh', '-c', `cd '${folder}'; ${script}`, 'sh', stream.script, cgroup];
    await run(shell, process.env, bench.signal);
    const ns = await resultIn(result, bench.signal);
    return figures(stream, ns, cpuMs(cgroup));
  } finally {
    await endCgroup(cgroup);
    rmSync(folder, { recursive: true });
  }
}

/** The one that is installed, else the one of Debian's package, unpacked for the bench alone. */
async function svlogd({ folder, signal }: Bench): Promise<string> {
  if (commandExists('svlogd')) return 'svlogd';
  const unpacked = join(folder, 'runit');
  const program = join(unpacked, 'usr/bin/svlogd');
  if (existsSync(program)) return program;
  mkdirSync(unpacked);
  const script = 'cd "$1" && apt-get download -q runit && dpkg -x runit_*.deb .';
  await run(['/bin/sh', '-c', script, 'sh', unpacked], process.env, signal);
  return program;
}

async function resultIn(path: string, signal: AbortSignal): Promise<number> {
  const deadlineMs = performance.now() + FINISHED_WITHIN_MS;
  for (;;) {
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    if (text.endsWith('\n')) return Number(text);
    if (performance.now() > deadlineMs) throw new Error(`the stream has not ended: '${path}'`);
    await delay(5, undefined, { signal });
  }
}

function figures({ megabytes }: Stream, ns: number, cpu: number): Throughput {
  return { megabytesPerSecond: megabytes / (ns / 1e9), cpuMsPerMegabyte: cpu / megabytes };
}
