import { parseArgs } from 'node:util';
import { ProcessmasterError } from '../src/lib/errors.ts';
import { PEER_NAMES, type PeerName } from './peer.ts';

export interface Options {
  /** How many services, one comparison each. */
  readonly counts: readonly number[];
  readonly peers: readonly PeerName[];
  readonly rounds: number;
  readonly idleSeconds: number;
  /** The Markdown file whose section is rewritten; null: only print. */
  readonly resultsPath: string | null;
}

export const USAGE = `usage: npm run bench -- [options]

  --n 1,100,1000           numbers of services
  --peers ${PEER_NAMES.join(',')}
  --rounds 3               how often each number is measured; medians count
  --idle-seconds 60        how long idle CPU is measured; reported for 30 s
  --no-write               print the results without writing bench/RESULTS.md
  --help
`;

/** Parses the command line; null when help was asked for. Throws `invalid_argument`. */
export function parseOptions(argv: readonly string[], resultsPath: string): Options | null {
  const { values } = parse(argv);
  if (values.help) return null;
  return {
    counts: values.n.split(',').map((text) => wholeNumber('--n', text, 1)),
    peers: values.peers.split(',').map(peerName),
    rounds: wholeNumber('--rounds', values.rounds, 1),
    idleSeconds: wholeNumber('--idle-seconds', values['idle-seconds'], 0),
    resultsPath: values['no-write'] ? null : resultsPath,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        n: { type: 'string', default: '1,100,1000' },
        peers: { type: 'string', default: PEER_NAMES.join(',') },
        rounds: { type: 'string', default: '3' },
        'idle-seconds': { type: 'string', default: '60' },
        'no-write': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    throw new ProcessmasterError('invalid_argument', `${reason}\n${USAGE}`, {
      cause,
    });
  }
}

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least) return value;
  throw refused(option, `a whole number of at least ${least}`, text);
}

function peerName(text: string): PeerName {
  const name = PEER_NAMES.find((known) => known === text);
  if (name === undefined) throw refused('--peers', `one of ${PEER_NAMES.join(', ')}`, text);
  return name;
}

function refused(option: string, expected: string, got: string): ProcessmasterError {
  return new ProcessmasterError(
    'invalid_argument',
    `${option}: expected ${expected}, got "${got}"\n${USAGE}`,
  );
}
