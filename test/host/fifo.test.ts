import {
  closeSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FifoPool, openFifoForReading, openFifoForService } from '../../src/host/fifo.ts';
import { errorOf, rejectionOf, scratchFolder } from './rig.ts';

const OWNER = { uid: 65534, gid: 12345 };

function pool() {
  const folder = scratchFolder();
  return { folder, fifos: new FifoPool({ directory: join(folder, 'stock') }) };
}

describe('the pool', () => {
  test('puts a FIFO that only its owner may use', async () => {
    const { folder, fifos } = pool();
    await fifos.take(join(folder, 'out'), OWNER);
    const made = lstatSync(join(folder, 'out'));
    expect(made.isFIFO()).toBe(true);
    expect([made.uid, made.gid, made.mode & 0o7777]).toEqual([65534, 12345, 0o600]);
    expect(lstatSync(join(folder, 'stock')).mode & 0o7777).toBe(0o700);
  });

  test('replaces what is there', async () => {
    const { folder, fifos } = pool();
    writeFileSync(join(folder, 'out'), 'stale');
    await fifos.take(join(folder, 'out'), OWNER);
    expect(lstatSync(join(folder, 'out')).isFIFO()).toBe(true);
  });

  test('serves more than it has in stock, all at once, each with one of its own', async () => {
    const { folder, fifos } = pool();
    const names = Array.from({ length: 200 }, (_, at) => join(folder, `out${at}`));
    await Promise.all(names.map((name) => fifos.take(name, OWNER)));
    expect(new Set(names.map((name) => lstatSync(name).ino)).size).toBe(200);
  });

  test('clears away what an earlier one left', async () => {
    const { folder, fifos } = pool();
    mkdirSync(join(folder, 'stock'));
    writeFileSync(join(folder, 'stock/0'), 'not a FIFO');
    await fifos.take(join(folder, 'out'), OWNER);
    const left = readdirSync(join(folder, 'stock')).map((name) => join(folder, 'stock', name));
    expect(left.every((path) => lstatSync(path).isFIFO())).toBe(true);
  });

  test('loses none when the destination is not there', async () => {
    const { folder, fifos } = pool();
    await fifos.take(join(folder, 'first'), OWNER);
    const before = readdirSync(join(folder, 'stock')).length;
    const error = await rejectionOf(fifos.take(join(folder, 'missing/out'), OWNER));
    expect([error.code, error.errno]).toEqual(['io', 'ENOENT']);
    expect(readdirSync(join(folder, 'stock')).length).toBe(before);
    await fifos.take(join(folder, 'second'), OWNER);
    expect(lstatSync(join(folder, 'second')).isFIFO()).toBe(true);
  });

  test('says why it cannot make any, and tries again', async () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'file'), '');
    const fifos = new FifoPool({ directory: join(folder, 'file/stock') });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const error = await rejectionOf(fifos.take(join(folder, 'out'), OWNER));
      expect([error.code, error.errno]).toEqual(['io', 'ENOTDIR']);
    }
  });
});

describe('opening', () => {
  test('for the service needs no reader, and what is written waits', async () => {
    const { folder, fifos } = pool();
    const path = join(folder, 'out');
    await fifos.take(path, OWNER);
    const service = openFifoForService(path);
    writeSync(service, 'hello');
    const reader = openFifoForReading(path);
    const bytes = Buffer.alloc(10);
    expect(bytes.toString('utf8', 0, readSync(reader, bytes))).toBe('hello');
    expect(() => readSync(reader, bytes)).toThrow('EAGAIN');
    closeSync(service);
    expect(readSync(reader, bytes)).toBe(0);
    closeSync(reader);
  });

  test.each([
    ['for the service', openFifoForService],
    ['for reading', openFifoForReading],
  ])('%s refuses everything else', async (_, open) => {
    const { folder, fifos } = pool();
    await fifos.take(join(folder, 'out'), OWNER);
    writeFileSync(join(folder, 'file'), '');
    symlinkSync('out', join(folder, 'link'));
    expect(errorOf(() => open(join(folder, 'file'))).code).toBe('unsafe_path');
    expect(errorOf(() => open(join(folder, 'link'))).errno).toBe('ELOOP');
    expect(errorOf(() => open(join(folder, 'missing'))).errno).toBe('ENOENT');
  });
});
