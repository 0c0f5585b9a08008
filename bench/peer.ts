export const PEER_NAMES = ['processmaster', 'supervisord', 'pm2'] as const;
export type PeerName = (typeof PEER_NAMES)[number];

/** A supervisor under measurement: how it is configured, started and asked. It does no work itself. */
export interface Peer {
  readonly name: PeerName;
  readonly version: string;
  /** Writes what it needs to run `count` × `sleep infinity` into its own empty folder. */
  readonly configure: (count: number, place: Place) => Instance;
}

/** What one instance may use: everything in it ends with the instance. */
export interface Place {
  readonly folder: string;
  /** On a file system in memory, as /run is on most hosts: for what a peer keeps there by default. */
  readonly runtimeFolder: string;
  /** The cgroup v2 mount, and the name of a cgroup below it that is free for the peer's use. */
  readonly cgroupMount: string;
  readonly cgroupName: string;
}

export interface Instance {
  /** From nothing to a daemon that starts all its services. */
  readonly launch: readonly string[];
  /** Whether `launch` becomes the daemon or ends when it has started one. */
  readonly launchIs: 'daemon' | 'client';
  readonly pidFile: string | null;
  /** Where the process lives whose children the services are; null: they are the daemon's. */
  readonly helperCgroup: string | null;
  readonly status: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}
