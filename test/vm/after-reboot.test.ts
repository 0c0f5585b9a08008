import { describe, expect, it } from 'vitest';
import { inPhase, unitProperty } from './unit.ts';

describe('after a reboot', () => {
  it('enabled services run, and a stop of the boot before is over', async () => {
    await inPhase('web', 'RUNNING');
    await inPhase('once', 'RUNNING');
    expect(await unitProperty('ActiveState')).toBe('active');
  });
});
