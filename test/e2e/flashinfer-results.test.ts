import { beforeAll, expect, test } from 'vitest';
import { sharedDirectory } from './captured.js';
import { Probe, SETUP_MS, TIMEOUT_MS } from './flashinfer-probe.js';

const probe = new Probe(sharedDirectory());
let session = '';
beforeAll(async () => {
  await probe.setUp();
  session = await probe.record('session', ['odd']);
}, SETUP_MS);

async function verdicts(changed?: string): Promise<string[]> {
  const { calls } = await probe.replay(session, changed === undefined ? {} : { changed });
  return calls.map(({ verdict, outputs, reason }) => {
    const why = verdict === 'error' ? ` ${reason?.split(/ \(|;/)[0]}` : '';
    return `${verdict} ${outputs.length}${why}`;
  });
}

test(
  'nothing passes of which nothing was recorded or read: objects, what lies too deep, tensors of other kinds',
  async () => {
    expect(await verdicts()).toEqual([
      // An object's text is its class and its address.
      'unchecked 0',
      'unchecked 0',
      // The recorder kept eight lists, and no tensor.
      'unchecked 0',
      // Of fixed texts all is known.
      'pass 1',
      'pass 1',
      // What can't be read is no difference.
      'error 0 tensor "result" can\'t be read: sparse tensors are not supported',
      'error 0 unknown dtype "torch.qint8"',
      'error 0 tensor "result_0" can\'t be read: sparse tensors are not supported',
    ]);
  },
  TIMEOUT_MS,
);

test(
  'a number inside of a list that is only described differs where it differs',
  async () => {
    expect((await verdicts('odd'))[4]).toBe('mismatch 1');
  },
  TIMEOUT_MS,
);
