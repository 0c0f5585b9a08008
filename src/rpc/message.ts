import type { ProcessmasterError } from '../lib/errors.ts';
import { rpcCodeOf } from './error-codes.ts';

export type RequestId = string | number | null;

/** A well-formed request of JSON-RPC 2.0. */
export interface RpcRequest {
  /** `undefined`: a notification, which gets no answer. */
  readonly id: RequestId | undefined;
  readonly method: string;
  readonly params: unknown;
  /** Who asks, as the sender says; believed of the web console alone. */
  readonly actor: string | null;
}

interface RpcFault {
  readonly code: number;
  readonly message: string;
  /** `code` is our own stable word for it. */
  readonly data: { readonly code: string; readonly stage?: string };
}

export type RpcResponse =
  | { readonly jsonrpc: '2.0'; readonly id: RequestId; readonly result: unknown }
  | { readonly jsonrpc: '2.0'; readonly id: RequestId; readonly error: RpcFault };

/** The request that a parsed JSON value is, or `null`. */
export function readRequest(value: unknown): RpcRequest | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const { jsonrpc, id, method, params, actor } = value as Readonly<Record<string, unknown>>;
  if (jsonrpc !== '2.0' || typeof method !== 'string' || !isId(id)) return null;
  const said = typeof actor === 'string' ? actor : null;
  return { id, method, params: params ?? {}, actor: said };
}

/** The id of a request that is not well-formed otherwise; `null` when it cannot be told. */
export function readId(value: unknown): RequestId {
  if (typeof value !== 'object' || value === null) return null;
  const { id } = value as Readonly<Record<string, unknown>>;
  return isId(id) ? (id ?? null) : null;
}

export function resultResponse(id: RequestId, result: unknown): RpcResponse {
  return { jsonrpc: '2.0', id, result };
}

/** An answer for an error of the protocol itself. */
export function faultResponse(id: RequestId, code: number, message: string): RpcResponse {
  return { jsonrpc: '2.0', id, error: { code, message, data: { code: 'protocol' } } };
}

export function errorResponse(id: RequestId, error: ProcessmasterError): RpcResponse {
  const { code, message, stage } = error;
  const data = stage === undefined ? { code } : { code, stage };
  return { jsonrpc: '2.0', id, error: { code: rpcCodeOf(code), message, data } };
}

function isId(id: unknown): id is RequestId | undefined {
  return id === undefined || id === null || typeof id === 'string' || typeof id === 'number';
}
