import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { defaultDefinitionText } from '../../src/model/default-definition.ts';
import type { ServiceEvent } from '../../src/model/event.ts';
import { DefinitionWriter } from '../../src/sources/definition-writer.ts';
import type { FileWish } from '../../src/sources/file-wish.ts';
import { name } from '../builders/specs.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { scratchFolder } from '../host/rig.ts';

describe('the writer of definitions', () => {
  let folder: string;
  let clock: FakeClock;
  let events: ServiceEvent[];
  let writer: DefinitionWriter;
  beforeEach(() => {
    folder = scratchFolder();
    clock = new FakeClock();
    events = [];
    writer = new DefinitionWriter({ clock, emit: (event) => events.push(event) });
  });
  const wish = (kind: FileWish['kind'], version = ''): FileWish => ({
    kind,
    service: name('shop'),
    folder,
    version,
  });
  const kinds = () => events.map(({ kind }) => kind);

  it('generates one, says so, and says what was written', () => {
    expect([...writer.fulfil([wish('generate')], false)]).toEqual([folder]);
    expect(readFileSync(join(folder, 'service.yml'), 'utf8')).toBe(defaultDefinitionText());
    expect(kinds()).toEqual(['definition.generated']);
    expect(writer.warnings()).toEqual([]);
  });

  it('leaves alone what somebody else has put there meanwhile, and does not call it complete', () => {
    writeFileSync(join(folder, 'service.yml'), 'theirs');
    expect([...writer.fulfil([wish('generate')], false)]).toEqual([]);
    expect(readFileSync(join(folder, 'service.yml'), 'utf8')).toBe('theirs');
    expect([kinds(), writer.warnings()]).toEqual([[], []]);
  });

  it('tries again what failed when asked, when it changed, or after a minute, and says it once', () => {
    mkdirSync(join(folder, '.regen_pm_config'));
    const attempt = (eager: boolean, version = 'a') =>
      [...writer.fulfil([wish('regenerate', version)], eager)].length;
    const mend = () => {
      rmSync(join(folder, '.regen_pm_config'), { recursive: true });
      writeFileSync(join(folder, '.regen_pm_config'), '');
    };
    attempt(false);
    attempt(true);
    expect(kinds()).toEqual(['definition.regenerate-failed']);
    expect(writer.warnings().join()).toContain("'shop': cannot write");

    mend();
    expect(attempt(false)).toBe(0);
    expect(attempt(false, 'b')).toBe(1);
    expect(writer.warnings()).toEqual([]);
    expect(kinds()).toEqual(['definition.regenerate-failed', 'definition.regenerated']);

    mkdirSync(join(folder, '.regen_pm_config'));
    attempt(false);
    mend();
    clock.advance(59_000);
    expect(attempt(false)).toBe(0);
    clock.advance(1_000);
    expect(attempt(false)).toBe(1);
    expect(readdirSync(folder).toSorted()).toEqual(['service.yml', 'service.yml.bak']);
  });

  it('forgets what nobody wishes for any more', () => {
    mkdirSync(join(folder, '.regen_pm_config'));
    writer.fulfil([wish('regenerate')], false);
    writer.fulfil([], false);
    expect(writer.warnings()).toEqual([]);
    writer.fulfil([wish('regenerate')], false);
    expect(kinds()).toEqual(['definition.regenerate-failed', 'definition.regenerate-failed']);
  });
});
