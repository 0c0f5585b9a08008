import type { SourceConfig } from '../model/daemon-config.ts';
import { AutoServiceDirectory } from '../sources/auto-service-directory.ts';
import { ConfigDirectory, isDefinitionName } from '../sources/config-directory.ts';
import { isAutoServiceFile } from '../sources/service-folder.ts';
import type { WatchedSource } from '../sources/source-set.ts';

/** The sources that the master config names. */
export function sourcesOf(config: SourceConfig): readonly WatchedSource[] {
  const { configDirectory, autoServiceDirectory, defaultUser, defaultGroup } = config;
  const sources: WatchedSource[] = [];
  if (configDirectory !== null) {
    const source = new ConfigDirectory(configDirectory);
    sources.push({ source, path: configDirectory, depth: 0, concerns: isDefinitionName });
  }
  if (autoServiceDirectory !== null) {
    const source = new AutoServiceDirectory(autoServiceDirectory, { defaultUser, defaultGroup });
    sources.push({ source, path: autoServiceDirectory, depth: 1, concerns: isAutoServiceFile });
  }
  return sources;
}
