import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../src/core/session/index.js';
import { extractSession } from '../../../src/core/store/index.js';
import { type CallContent, contentOf } from '../../support/session-content.js';
import { makeTempDir } from '../../support/temp-dir.js';
import { generatedSession, writeGenerated } from './generated-sessions.js';

let extracted = 0;

/** The session of those of its calls whose place, from 0, is wanted. */
async function extractWhere(
  source: string,
  dir: string,
  isWanted: (dump: string) => boolean,
): Promise<string> {
  const session = openSession(source);
  const calls = session.calls.filter(({ dump }) => isWanted(dump)).map(({ number }) => number);
  const destination = join(dir, `out${++extracted}`);
  await extractSession({ session, calls, destination });
  return destination;
}

/** Without what depends on the calls around: inside of which it ran, and how many objects there were before. */
function alone({ facts, ...rest }: CallContent): unknown {
  const { parent: _parent, generation: _generation, ...own } = facts;
  return { ...rest, facts: own, recordText: undefined };
}

describe('extraction', () => {
  it('of all calls is the same session, of some their part of it, and of both the intersection', async () => {
    const dir = makeTempDir();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(generatedSession, fc.nat(), fc.nat(), async (generated, one, other) => {
        const source = join(dir, String(count++));
        writeGenerated(source, generated);
        const session = openSession(source);
        const whole = contentOf(session);
        const bit = (dump: string, mask: number) =>
          ((mask >> ((session.callOf(dump)?.number ?? 0) % 16)) & 1) === 1;

        const all = await extractWhere(source, dir, () => true);
        const again = contentOf(openSession(all));
        expect(again.map(({ recordText: _text, ...rest }) => rest)).toEqual(
          whole.map(({ recordText: _text, ...rest }) => rest),
        );

        const first = await extractWhere(source, dir, (dump) => bit(dump, one));
        const wanted = whole.filter(({ dump }) => bit(dump, one));
        expect(contentOf(openSession(first)).map(alone)).toEqual(wanted.map(alone));

        const both = await extractWhere(first, dir, (dump) => bit(dump, other));
        const atOnce = await extractWhere(source, dir, (dump) => bit(dump, one) && bit(dump, other));
        expect(contentOf(openSession(both))).toEqual(contentOf(openSession(atOnce)));
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
