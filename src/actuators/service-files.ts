import { join } from 'node:path';
import type { ServiceName } from '../model/service-name.ts';

/** What the runtime directory holds of one service. Only root may enter the folder. */
export interface ServiceFiles {
  readonly folder: string;
  readonly stdoutFifo: string;
  readonly stderrFifo: string;
  /** How far the last launch came, see host/launch. */
  readonly stageFile: string;
}

/** The paths of one service below `servicesDirectory`. */
export function serviceFiles(servicesDirectory: string, name: ServiceName): ServiceFiles {
  const folder = join(servicesDirectory, name);
  return {
    folder,
    stdoutFifo: join(folder, 'stdout'),
    stderrFifo: join(folder, 'stderr'),
    stageFile: join(folder, 'launch'),
  };
}
