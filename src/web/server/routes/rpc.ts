import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { ProcessmasterError } from '../../../lib/errors.ts';
import type { RpcClient } from '../../../rpc/client.ts';
import { isMethodName, type RequestOf } from '../../../rpc/contract.ts';
import { METHOD_NOT_FOUND, rpcCodeOf } from '../../../rpc/error-codes.ts';
import {
  errorResponse,
  faultResponse,
  readId,
  readRequest,
  resultResponse,
} from '../../../rpc/message.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import { requireToken } from '../visitor.ts';

/** Methods of a connection, which a request by HTTP has none of. */
const OF_CONNECTIONS: ReadonlySet<string> = new Set(['hello', 'console.note']);

/** The contract over HTTP: one JSON-RPC 2.0 request a POST, asked in the visitor's name. */
export function rpcRoute(api: RpcClient, authenticator: Authenticator): FastifyPluginAsync {
  return async (server: FastifyInstance) => {
    server.post('rpc', async (request) => {
      const { user } = requireToken(request, await authenticator.enter(request));
      const asked = readRequest(request.body);
      if (asked === null) {
        const fault = 'that is not a request of JSON-RPC 2.0';
        return faultResponse(readId(request.body), rpcCodeOf('protocol'), fault);
      }
      const { method, params } = asked;
      const id = asked.id ?? null;
      if (!isMethodName(method) || OF_CONNECTIONS.has(method)) {
        return faultResponse(id, METHOD_NOT_FOUND, `there is no method '${method.slice(0, 64)}'`);
      }
      try {
        // The daemon reads parameters by its own schema, whoever sends them.
        return resultResponse(id, await api.call(method, params as RequestOf<typeof method>, user));
      } catch (error) {
        if (error instanceof ProcessmasterError) return errorResponse(id, error);
        throw error;
      }
    });
  };
}
