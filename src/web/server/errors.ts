import type { FastifyInstance } from 'fastify';
import { ProcessmasterError } from '../../lib/errors.ts';
import type { Refusal } from './auth/authenticator.ts';

/** An answer that is no success, with its reason for people. */
export class Refused extends Error {
  readonly statusCode: number;
  readonly retryAfterS: number | null;

  constructor(statusCode: number, message: string, retryAfterS: number | null = null) {
    super(message);
    this.statusCode = statusCode;
    this.retryAfterS = retryAfterS;
  }

  static by({ status, message, retryAfterS }: Refusal): Refused {
    return new Refused(status, message, retryAfterS);
  }
}

const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  not_found: 404,
  invalid_argument: 400,
  conflict: 409,
  timeout: 504,
  unreachable: 503,
};

/** Every error is `{"error": {"message"}}`; what is a defect of ours says nothing of itself. */
export function answerErrors(server: FastifyInstance): void {
  server.setErrorHandler((error, _request, reply) => {
    if (error instanceof Refused) {
      if (error.retryAfterS !== null) reply.header('retry-after', error.retryAfterS);
      return reply.status(error.statusCode).send({ error: { message: error.message } });
    }
    if (error instanceof ProcessmasterError) {
      const status = STATUS_BY_CODE[error.code] ?? 502;
      return reply.status(status).send({ error: { code: error.code, message: error.message } });
    }
    const { statusCode = 500, message } = error as { statusCode?: number; message: string };
    const isOurs = statusCode >= 500;
    if (isOurs) process.stderr.write(`${String(error)}\n`);
    const text = isOurs ? 'internal error' : message;
    return reply.status(statusCode).send({ error: { message: text } });
  });
  server.setNotFoundHandler((_request, reply) =>
    reply.status(404).send({ error: { message: 'there is nothing here' } }),
  );
}
