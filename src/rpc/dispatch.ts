import * as z from 'zod/mini';
import { type BuildInfo, describeBuild, isCoBuilt } from '../lib/build-info.ts';
import { ProcessmasterError } from '../lib/errors.ts';
import type { Actor } from '../model/intent.ts';
import {
  contract,
  isMethodName,
  type MethodName,
  type ParamsOf,
  type ResultOf,
} from './contract.ts';
import { METHOD_NOT_FOUND } from './error-codes.ts';
import {
  errorResponse,
  faultResponse,
  type RpcRequest,
  type RpcResponse,
  resultResponse,
} from './message.ts';

/** What a handler knows of its caller. */
export interface CallContext {
  readonly actor: Actor;
  /** Asked by the web console, for its users or for itself. */
  readonly isConsole: boolean;
  /** Aborted when the client sends no more (it may be gone), or the daemon shuts down. */
  readonly signal: AbortSignal;
}

type HandledMethod = Exclude<MethodName, 'hello'>;

/** One handler a method; `hello` is the server's own. */
export type Handlers = {
  readonly [M in HandledMethod]: (
    params: ParamsOf<M>,
    context: CallContext,
  ) => ResultOf<M> | Promise<ResultOf<M>>;
};

export interface DispatchOptions {
  readonly build: BuildInfo;
  readonly handlers: Handlers;
  /** Told of what a handler threw and no client may see. */
  readonly report: (error: unknown, method: string) => void;
}

/** What is remembered of one connection. */
export interface Session {
  coBuilt: boolean;
}

/** Methods for clients of another build: they are how one finds out. */
const WITHOUT_HELLO: ReadonlySet<MethodName> = new Set<MethodName>(['hello', 'daemon.version']);

/** Answers one request; never rejects. `hello` takes effect before this returns its promise. */
export async function dispatch(
  request: RpcRequest,
  session: Session,
  context: CallContext,
  options: DispatchOptions,
): Promise<RpcResponse> {
  const { method } = request;
  const id = request.id ?? null;
  if (!isMethodName(method)) {
    return faultResponse(id, METHOD_NOT_FOUND, `there is no method '${method.slice(0, 64)}'`);
  }
  try {
    if (!session.coBuilt && !WITHOUT_HELLO.has(method)) throw notCoBuilt(null, options.build);
    if (method === 'hello') return resultResponse(id, hello(request.params, session, options));
    return resultResponse(id, await handle(method, request.params, context, options));
  } catch (error) {
    if (error instanceof ProcessmasterError) return errorResponse(id, error);
    options.report(error, method);
    const message = `cannot carry out '${method}': internal error (see the daemon's own log)`;
    return errorResponse(id, new ProcessmasterError('internal', message));
  }
}

function hello(raw: unknown, session: Session, { build }: DispatchOptions): ResultOf<'hello'> {
  const client = readParams('hello', raw).build;
  session.coBuilt = isCoBuilt(client, build);
  if (!session.coBuilt) throw notCoBuilt(client, build);
  return { build };
}

async function handle<M extends HandledMethod>(
  method: M,
  raw: unknown,
  context: CallContext,
  { handlers }: DispatchOptions,
): Promise<ResultOf<M>> {
  return await handlers[method](readParams(method, raw), context);
}

/** The contract, seen so that a method's schema yields that method's parameters. */
const schemas: { readonly [M in MethodName]: { readonly params: z.core.$ZodType<ParamsOf<M>> } } =
  contract;

function readParams<M extends MethodName>(method: M, raw: unknown): ParamsOf<M> {
  return read(schemas[method].params, raw, method);
}

function read<T>(schema: z.core.$ZodType<T>, raw: unknown, method: string): T {
  const parsed = z.safeParse(schema, raw);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  const message = `cannot call '${method}': ${key}${issue?.message ?? 'invalid parameters'}`;
  throw new ProcessmasterError('invalid_argument', message);
}

function notCoBuilt(client: BuildInfo | null, daemon: BuildInfo): ProcessmasterError {
  const said = client === null ? 'it did not say its build' : `pmctl is ${describeBuild(client)}`;
  const message = `pmctl is not co-built with this daemon: ${said}, processmaster is ${describeBuild(daemon)}; rebuild and deploy processmaster + pmctl from the same build`;
  return new ProcessmasterError('not_co_built', message);
}
