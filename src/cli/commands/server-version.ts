import { describeBuild } from '../../lib/build-info.ts';
import { formatSpan } from '../format-time.ts';
import { type Invocation, json, type Output, printed } from '../invocation.ts';

export async function run({ format, call }: Invocation): Promise<Output> {
  const { build, ...daemon } = await call('daemon.version', {});
  if (format === 'json') return printed(json({ ...build, ...daemon }));
  const { pid, socket, uptime_ms } = daemon;
  const lines = [
    `processmaster ${describeBuild(build)}`,
    `pid ${pid}, up ${formatSpan(uptime_ms)}, socket ${socket}`,
  ];
  return printed(`${lines.join('\n')}\n`);
}
