import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../src/core/session/index.js';
import { copyFixture, fixturePath } from '../../support/flashinfer-fixtures.js';
import { writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

describe('calls whose order is not certain', () => {
  it('are none where the index names them', () => {
    expect(openSession(fixturePath('stateful_pt')).unindexed).toBe(0);
    // A dump without a record has no place in the order at all.
    expect(openSession(fixturePath('nested_pt')).unindexed).toBe(0);
  });

  it('are all of a session without an index, but for those without a record', () => {
    const path = copyFixture('nested_pt');
    rmSync(join(path, 'session.jsonl'));
    const session = openSession(path);
    expect([session.calls.length, session.unindexed]).toEqual([25, 24]);
  });

  it('are not one dump that is opened alone', () => {
    const [dump = ''] = readdirSync(fixturePath('stateful_pt'));
    expect(openSession(join(fixturePath('stateful_pt'), dump)).unindexed).toBe(0);
  });

  it('are none that fir recorded: it numbers them', () => {
    const dir = makeTempDir();
    writeSession(dir, [{ functionName: 'f' }, { functionName: 'g' }], { withoutIndex: true });
    const session = openSession(dir);
    expect([session.calls.length, session.unindexed]).toEqual([2, 0]);
  });
});
