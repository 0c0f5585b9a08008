import { formatKeyPath, valueAt } from './config-issue.ts';
import type { ConfigKind } from './config-kind-names.ts';
import { daemonSchema } from './daemon-schema.ts';
import { keyPaths } from './schema-keys.ts';
import { serviceSchema } from './service-schema.ts';

/**
 * What a raw document looks like: a master config when it has more of the keys that only such a file
 * knows, else a service. One called `service.yml` that names no working directory is that of a folder.
 */
export function configKind(
  raw: unknown,
  { isServiceYml }: { readonly isServiceYml: boolean },
): ConfigKind {
  const [master, service] = [daemonSchema, serviceSchema].map((schema) =>
    keyPaths(schema)
      .filter((path) => valueAt(raw, path) !== undefined)
      .map(formatKeyPath),
  );
  const only = (these: readonly string[] = [], others: readonly string[] = []) =>
    these.filter((key) => !others.includes(key)).length;
  if (only(master, service) > only(service, master)) return 'master';
  const hasDirectory = valueAt(raw, ['process', 'working_directory']) !== undefined;
  return isServiceYml && !hasDirectory ? 'auto-service' : 'service';
}
