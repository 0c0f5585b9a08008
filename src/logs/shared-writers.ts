import type { LogSettings } from '../model/service-spec.ts';
import type { LineSource } from './line-turns.ts';
import { StreamWriter, type StreamWriterPorts } from './stream-writer.ts';

export interface SharedWriterPorts {
  /** What the files of all services may take together. */
  readonly budgetBytes: () => number;
  /** A file has a new backup. */
  readonly onRotated: (path: string) => void;
}

/** The writers by path: one per file, however many streams go to it. */
export class SharedWriters {
  readonly #ports: SharedWriterPorts;
  readonly #writersByPath = new Map<string, StreamWriter>();

  constructor(ports: SharedWriterPorts) {
    this.#ports = ports;
  }

  /** The writer of a file, made by the first stream that asks (whose ports hear of trouble). */
  acquire(
    path: string,
    source: LineSource,
    settings: LogSettings,
    ports: StreamWriterPorts,
  ): StreamWriter {
    const writer = this.#writersByPath.get(path) ?? this.#create(path, settings, ports);
    this.#writersByPath.set(path, writer);
    writer.addSource(source);
    return writer;
  }

  /** The last stream that goes closes the file. */
  release(path: string, source: LineSource): void {
    const writer = this.#writersByPath.get(path);
    if (!writer?.removeSource(source)) return;
    writer.close();
    this.#writersByPath.delete(path);
  }

  /** How a file is kept from now on, if it is written at all. */
  configure(path: string, settings: LogSettings): void {
    this.#writersByPath.get(path)?.configure(settings);
  }

  /** The size of a file that is open, else null. */
  bytesOf(path: string): number | null {
    return this.#writersByPath.get(path)?.openBytes ?? null;
  }

  /** Puts aside the files whose time is over and that nobody writes to now. */
  rotateWhenDue(): void {
    for (const writer of this.#writersByPath.values()) writer.rotateWhenDue();
  }

  #create(path: string, settings: LogSettings, ports: StreamWriterPorts): StreamWriter {
    const { budgetBytes, onRotated } = this.#ports;
    return new StreamWriter({
      ...ports,
      path,
      settings,
      budgetBytes,
      onRotated: () => onRotated(path),
    });
  }
}
