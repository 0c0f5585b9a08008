import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** Which build a program is. Two programs are co-built when host and time are the same. */
export interface BuildInfo {
  readonly host: string;
  /** ISO 8601, or `unbundled` when the sources run as they are. */
  readonly time: string;
  readonly version: string;
}

// The bundler replaces these three by string constants; unbundled they do not exist.
declare const __BUILD_HOST__: string | undefined;
declare const __BUILD_TIME__: string | undefined;
declare const __BUILD_VERSION__: string | undefined;

/** The build of the program that runs. */
export function buildInfo(): BuildInfo {
  return {
    host: typeof __BUILD_HOST__ === 'string' ? __BUILD_HOST__ : hostname(),
    time: typeof __BUILD_TIME__ === 'string' ? __BUILD_TIME__ : 'unbundled',
    version: typeof __BUILD_VERSION__ === 'string' ? __BUILD_VERSION__ : packageVersion(),
  };
}

/** Whether two programs come from the same build. */
export function isCoBuilt(one: BuildInfo, other: BuildInfo): boolean {
  return one.host === other.host && one.time === other.time;
}

/** `0.1.0 (built on host, 2026-01-31T12:00:00Z)`, for people. */
export function describeBuild(build: BuildInfo): string {
  return `${build.version} (built on ${build.host}, ${build.time})`;
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { readonly version?: unknown };
  return typeof version === 'string' ? version : 'unknown';
}
