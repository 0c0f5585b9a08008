import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ApiPorts, LocatedChange, ProposedFile, SourcesDiff } from '../api/ports.ts';
import { reportUpdate } from '../api/update-report.ts';
import { ProcessmasterError } from '../lib/errors.ts';
import type { DesiredState } from '../model/desired.ts';
import type { ServiceChange } from '../model/service-change.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { EnvironmentReadings } from '../observers/environment-readings.ts';
import type { Controller } from '../reconciler/controller.ts';
import { isDefinitionName } from '../sources/config-directory.ts';
import { locateIn, locateKeys } from '../sources/locate-keys.ts';
import type { SourceSet } from '../sources/source-set.ts';

export interface DiffParts {
  readonly sources: SourceSet;
  readonly controller: Controller;
  readonly environments: EnvironmentReadings;
  readonly configDirectory: string | null;
}

/** Proposed files by the path that each would have. */
type Placed = ReadonlyMap<string, ProposedFile>;

/** Foresees what an update would do; see `ApiPorts.diffSources`. */
export async function diffSources(
  parts: DiffParts,
  { prune, files }: Parameters<ApiPorts['diffSources']>[0],
): Promise<SourcesDiff> {
  const placed = placeFiles(parts, files);
  const texts = new Map([...placed].map(([path, { text }]) => [path, text] as const));
  const after = parts.sources.peek({ prune, texts });
  const changes = parts.controller.foresee(after, await parts.environments.peek(after));
  const { problems, conflicts, brakes } = reportUpdate(after, after);
  const unchanged = countUnchanged(after, changes);
  if (files.length === 0) {
    return { changes: changes.map(locate), unchanged, problems, conflicts, brakes };
  }
  const names = concernedNames(parts.sources.peek({ prune }), after, placed);
  const shownPath = (path: string) => placed.get(path)?.file ?? path;
  return {
    changes: changes
      .filter(({ name }) => names.has(name))
      .map((change) => locateProposed(change, placed.get(change.file))),
    unchanged,
    problems: problems
      .filter(({ file }) => placed.has(file))
      .map((problem) => ({ ...problem, file: shownPath(problem.file) })),
    conflicts: conflicts
      .filter(({ name }) => names.has(name))
      .map(({ name, files: paths }) => ({ name, files: paths.map(shownPath) })),
    brakes: [],
  };
}

/**
 * Where each file would lie: in its place if it is a definition already, else dropped into the config
 * directory under its own name.
 */
function placeFiles(parts: DiffParts, files: readonly ProposedFile[]): Placed {
  const placed = new Map<string, ProposedFile>();
  for (const proposed of files) {
    const path = placeOf(parts, proposed.file);
    const other = placed.get(path);
    if (other !== undefined) {
      throw refusal(proposed.file, `'${other.file}' would be the same file, '${path}'`);
    }
    placed.set(path, proposed);
  }
  return placed;
}

function placeOf({ sources, configDirectory }: DiffParts, file: string): string {
  if (sources.holds(file)) return file;
  if (configDirectory === null) {
    throw refusal(file, 'there is no global.config_directory that it could be dropped into');
  }
  if (!isDefinitionName(basename(file))) {
    throw refusal(file, 'the name of a definition ends in .yaml or .yml and begins with no dot');
  }
  return join(configDirectory, basename(file));
}

/** The services that the files define, or make a difference to. */
function concernedNames(
  without: DesiredState,
  after: DesiredState,
  placed: Placed,
): ReadonlySet<ServiceName> {
  const names = [...new Set([...without.services.keys(), ...after.services.keys()])];
  return new Set(
    names.filter((name) => {
      const service = after.services.get(name);
      const isTheirs = placed.has(service?.accepted?.sourceFile ?? '');
      return isTheirs || !isDeepStrictEqual(without.services.get(name), service);
    }),
  );
}

function countUnchanged({ services }: DesiredState, changes: readonly ServiceChange[]): number {
  const changedNames = new Set(changes.map(({ name }) => name));
  return [...services.values()].filter(
    ({ name, trouble }) => trouble === null && !changedNames.has(name),
  ).length;
}

function locate(change: ServiceChange): LocatedChange {
  const keys = change.fields.map((field) => field.keys);
  return withLines(change, locateKeys(change.file, keys));
}

function locateProposed(change: ServiceChange, proposed: ProposedFile | undefined): LocatedChange {
  if (proposed === undefined) return locate(change);
  const { file, text } = proposed;
  const keys = change.fields.map((field) => field.keys);
  return withLines({ ...change, file }, locateIn(file, Buffer.from(text), keys));
}

function withLines(change: ServiceChange, lines: readonly (number | null)[]): LocatedChange {
  const fields = change.fields.map((field, at) => ({ ...field, line: lines[at] ?? null }));
  return { ...change, fields };
}

function refusal(file: string, why: string): ProcessmasterError {
  return new ProcessmasterError('invalid_argument', `cannot use '${file}' as a definition: ${why}`);
}
