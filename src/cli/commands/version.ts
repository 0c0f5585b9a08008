import { buildInfo, describeBuild } from '../../lib/build-info.ts';
import { type Invocation, json, type Output, printed } from '../invocation.ts';

export async function run({ format }: Invocation): Promise<Output> {
  const build = buildInfo();
  return printed(format === 'json' ? json(build) : `pmctl ${describeBuild(build)}\n`);
}
