import { beforeAll, expect, test } from 'vitest';
import { sharedDirectory } from './captured.js';
import { Probe, SETUP_MS, TIMEOUT_MS, told } from './flashinfer-probe.js';

const probe = new Probe(sharedDirectory());
beforeAll(() => probe.setUp(), SETUP_MS);

test(
  'a call that spoils its device costs its own verdict: the rest goes on in a process of its own',
  async () => {
    const session = await probe.record('poisoned', ['poison']);
    const document = await probe.replay(session, { changed: 'poison' });
    expect(told(document)).toEqual([
      'StepWrapper.__init__ ran',
      'StepWrapper.run pass',
      'poison crashed',
      // Its object was made again.
      'StepWrapper.run pass',
      'outer pass',
      'inner pass',
    ]);
    const [poisoned] = document.calls.filter((call) => call.function === 'poison');
    expect(poisoned?.reason).toContain('an illegal memory access was encountered');
    expect(document.code).toBe(1);
  },
  TIMEOUT_MS,
);
