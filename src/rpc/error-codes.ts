import type { ErrorCode } from '../lib/errors.ts';

interface Codes {
  /** Code of the JSON-RPC error object; -32000 to -32099 are ours (JSON-RPC 2.0, §5.1). */
  readonly rpc: number;
  /** Exit code of pmctl. */
  readonly exit: number;
}

/** What each of our errors is on the wire and to a shell. */
const CODES: { readonly [C in ErrorCode]: Codes } = {
  invalid_argument: { rpc: -32602, exit: 2 },
  invalid_config: { rpc: -32001, exit: 9 },
  not_found: { rpc: -32002, exit: 4 },
  not_permitted: { rpc: -32003, exit: 6 },
  not_co_built: { rpc: -32004, exit: 6 },
  unreachable: { rpc: -32005, exit: 5 },
  withdrawn: { rpc: -32011, exit: 5 },
  timeout: { rpc: -32006, exit: 7 },
  conflict: { rpc: -32007, exit: 1 },
  launch_failed: { rpc: -32008, exit: 1 },
  unsafe_path: { rpc: -32009, exit: 1 },
  io: { rpc: -32010, exit: 1 },
  protocol: { rpc: -32600, exit: 1 },
  internal: { rpc: -32603, exit: 1 },
};

/** Codes of JSON-RPC 2.0 itself that say more than `protocol`. */
export const PARSE_ERROR = -32700;
export const METHOD_NOT_FOUND = -32601;
/** A limit of the server was reached: connections, requests at once. */
export const SERVER_BUSY = -32000;

export function rpcCodeOf(code: ErrorCode): number {
  return CODES[code].rpc;
}

export function exitCodeOf(code: ErrorCode): number {
  return CODES[code].exit;
}

/** Whether a word from the wire is one of our codes. */
export function isErrorCode(word: unknown): word is ErrorCode {
  return typeof word === 'string' && Object.hasOwn(CODES, word);
}
