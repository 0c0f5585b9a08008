import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program, runProgram } from './programs.ts';

/** A processmaster that is to run as a service of another one: its files, and how to ask it. */
export class NestedInstance {
  readonly folder: string;
  readonly configFile: string;
  readonly socket: string;

  /** @param cgroupKeys  of the master config's section `cgroup`, as a flow mapping has them */
  constructor(folder: string, cgroupKeys: string) {
    this.folder = folder;
    this.configFile = join(folder, 'config.yaml');
    this.socket = join(folder, 'run/processmaster.sock');
    mkdirSync(join(folder, 'config.d'), { recursive: true });
    writeFileSync(
      this.configFile,
      `cgroup: {${cgroupKeys}}
global: {config_directory: ./config.d, runtime_directory: ./run, state_directory: ./state}
`,
    );
  }

  /** The definition of this instance as a service of the one around it. */
  async definition(more: object = {}): Promise<object> {
    const command = [await program('processmaster'), '-c', this.configFile];
    return { process: { working_directory: this.folder, start_command: command }, ...more };
  }

  define(service: string, definition: object): void {
    const file = join(this.folder, 'config.d', `${service}.yaml`);
    writeFileSync(file, JSON.stringify(definition));
  }

  /** Defines a service that runs a shell script. */
  defineScript(service: string, script: string, more: object = {}): void {
    const process = { working_directory: this.folder, start_command: ['/bin/sh', '-c', script] };
    this.define(service, { process, ...more });
  }

  async pmctl(...args: string[]) {
    const env = { PATH: process.env.PATH, PMCTL_SOCK: this.socket };
    return runProgram(await program('pmctl'), args, { env, timeoutMs: 60_000 });
  }

  /** The pids of one of its services; none while it cannot be asked. */
  async pidsOf(service: string): Promise<readonly number[]> {
    const { code, stdout } = await this.pmctl('status', service, '--format', 'json');
    if (code !== 0) return [];
    const rows = JSON.parse(stdout) as readonly { readonly pids: readonly number[] }[];
    return rows[0]?.pids ?? [];
  }
}
