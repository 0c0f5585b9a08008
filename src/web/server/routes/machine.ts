import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import { gatherMetrics } from '../../../metrics/gather-metrics.ts';
import { OPEN_METRICS, renderMetrics } from '../../../metrics/metric.ts';
import type { RpcClient } from '../../../rpc/client.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { ConsoleSettings } from '../settings.ts';
import { isSame, requireVisitor } from '../visitor.ts';

export interface MachineParts {
  readonly settings: ConsoleSettings;
  readonly api: RpcClient;
  readonly authenticator: Authenticator;
}

const HEALTH_TIMEOUT_MS = 2_000;

/** What other programs look at: under these names wherever the pages are. */
export function machineRoutes({ settings, api, authenticator }: MachineParts): FastifyPluginAsync {
  return async (server: FastifyInstance) => {
    server.get('/healthz', async (_request, reply) => {
      const isHealthy = await answers(api);
      return reply.status(isHealthy ? 200 : 503).send({ ok: isHealthy });
    });
    server.get('/metrics', async (request, reply) => {
      if (!hasToken(request, settings.metricsToken)) {
        requireVisitor(await authenticator.enter(request));
      }
      const metrics = await gatherMetrics((method, params) => api.call(method, params));
      return reply.type(OPEN_METRICS).send(renderMetrics(metrics));
    });
  };
}

function hasToken({ headers }: FastifyRequest, token: string | null): boolean {
  const [, sent] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? [];
  return token !== null && sent !== undefined && isSame(sent, token);
}

async function answers(api: RpcClient): Promise<boolean> {
  const late = new Promise<false>((resolve) => {
    setTimeout(resolve, HEALTH_TIMEOUT_MS, false).unref();
  });
  const answer = api.call('daemon.version', {}).then(
    () => true,
    () => false,
  );
  return Promise.race([answer, late]);
}
