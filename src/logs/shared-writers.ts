import { type LineSource, StreamWriter, type StreamWriterPorts } from './stream-writer.ts';

/** The writers by path: one per file, however many streams go to it. */
export class SharedWriters {
  readonly #writersByPath = new Map<string, StreamWriter>();

  /** The writer of a file, made by the first stream that asks (whose ports hear of trouble). */
  acquire(path: string, source: LineSource, ports: StreamWriterPorts): StreamWriter {
    const writer = this.#writersByPath.get(path) ?? new StreamWriter(path, ports);
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
}
