import { appendFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSession, type Session } from '../../../src/core/session/index.js';
import { writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

function threeCalls(): { dir: string; index: string; lines: string[] } {
  const dir = makeTempDir();
  writeSession(
    dir,
    ['gemm', 'norm', 'gemm'].map((functionName) => ({ functionName })),
  );
  const index = join(dir, 'session.jsonl');
  return { dir, index, lines: readFileSync(index, 'utf8').split(/(?<=\n)/) };
}

function statesOf(session: Session): [string, string][] {
  return session.calls.map((call) => [call.functionName, call.status]);
}

const ALL_COMPLETED = [
  ['gemm', 'completed'],
  ['norm', 'completed'],
  ['gemm', 'completed'],
];

describe('a damaged index', () => {
  it('is whole where nothing is damaged', () => {
    const { dir } = threeCalls();
    const session = openSession(dir);
    expect(statesOf(session)).toEqual(ALL_COMPLETED);
    expect([session.records, session.unreadableCount, session.producer]).toEqual([6, 0, 'fir']);
  });

  it('counts a last record that only lacks its newline', () => {
    const { dir, index } = threeCalls();
    truncateSync(index, readFileSync(index).length - 1);
    const session = openSession(dir);
    expect([session.records, session.unreadableCount]).toEqual([6, 0]);
  });

  it('skips a torn last line that ends inside a character, and says where', () => {
    const { dir, index, lines } = threeCalls();
    const whole = lines.slice(0, 4).join('');
    const torn = Buffer.from(`{"function_name":"gemm","input_metadata":{"arg_0":"é`).subarray(0, -1);
    writeFileSync(index, Buffer.concat([Buffer.from(whole), torn]));
    const session = openSession(dir);
    expect(session.unreadable).toEqual([
      {
        file: 'session.jsonl',
        offset: whole.length,
        reason: 'torn: the file ends in the middle of a record',
      },
    ]);
    expect(statesOf(session)).toEqual(ALL_COMPLETED);
    expect(readFileSync(index)).toHaveLength(whole.length + torn.length);
  });

  it('loses only the torn line when the next record got a newline of its own', () => {
    const { dir, index, lines } = threeCalls();
    const torn = '{"function_name":"norm","modu';
    writeFileSync(index, [...lines.slice(0, 2), `${torn}\n`, ...lines.slice(2)].join(''));
    const session = openSession(dir);
    expect([session.records, session.unreadableCount]).toEqual([6, 1]);
    expect(session.unreadable[0]?.offset).toBe(lines.slice(0, 2).join('').length);
    expect(statesOf(session)).toEqual(ALL_COMPLETED);
  });

  it('finds by its directory a call whose records a torn line swallowed', () => {
    const { dir, index, lines } = threeCalls();
    writeFileSync(index, [...lines.slice(0, 4), `${lines[4]?.trimEnd().slice(0, 200)}${lines[5]}`].join(''));
    const session = openSession(dir);
    expect(statesOf(session)).toEqual(ALL_COMPLETED);
    expect(session.unreadableCount).toBe(1);
  });

  it.each([
    ['blank', '', 'blank line'],
    ['blank but for spaces', ' \t\r', 'blank line'],
    ['no JSON', 'Segmentation fault', /^invalid JSON at character 0/],
    ['NUL bytes', '\0\0\0\0', /^invalid JSON/],
    ['a number', '17', 'not a record: no JSON object'],
    ['a list', '[{}]', 'not a record: no JSON object'],
    ['another program’s line', '{"level":30,"msg":"hello"}', 'not a record: no function_name'],
    ['without a directory', '{"function_name":"f"}', 'not a record: no dump_dir'],
    [
      'of no known status',
      '{"function_name":"f","dump_dir":"d","execution_status":"ok"}',
      /execution_status/,
    ],
    ['with another fir', recordWith({ fir: 3 }), 'not a record: fir is no object'],
    ['without a process', recordWith({ fir: { sequence: 1 } }), 'not a record: no fir.process_uid'],
    ['without a sequence', recordWith({ fir: { process_uid: 'u', sequence: -1 } }), /fir.sequence/],
  ])('skips a line that is %s', (_, line, reason) => {
    const { dir, index, lines } = threeCalls();
    writeFileSync(index, [lines[0], `${line}\n`, ...lines.slice(1)].join(''));
    const session = openSession(dir);
    expect(session.unreadable).toEqual([
      {
        file: 'session.jsonl',
        offset: lines[0]?.length,
        reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
      },
    ]);
    expect(statesOf(session)).toEqual(ALL_COMPLETED);
  });

  it('skips a line that is not UTF-8', () => {
    const { dir, index, lines } = threeCalls();
    const bytes = Buffer.from(lines[2]?.replace('kernels', 'k?rnels') ?? '');
    bytes[bytes.indexOf('?')] = 0xff;
    writeFileSync(index, Buffer.concat([Buffer.from(lines.slice(0, 2).join('')), bytes]));
    const session = openSession(dir);
    expect(session.unreadable.map(({ reason }) => reason)).toEqual(['not UTF-8']);
  });

  it('skips repeated records and those older than what is known', () => {
    const { dir, index, lines } = threeCalls();
    appendFileSync(index, lines.join(''));
    const session = openSession(dir);
    expect(statesOf(session)).toEqual(ALL_COMPLETED);
    expect(session.unreadable.map(({ reason }) => reason)).toEqual([
      'an older record of a call that has ended',
      'repeats an earlier record',
      'an older record of a call that has ended',
      'repeats an earlier record',
      'an older record of a call that has ended',
      'repeats an earlier record',
    ]);
  });

  it('does not run a call whose directory another call was recorded into', () => {
    const { dir, index, lines } = threeCalls();
    appendFileSync(index, lines[0]?.replace('"gemm"', '"other"') ?? '');
    const session = openSession(dir);
    expect(session.calls[0]?.problem).toBe('another call was recorded into its dump directory');
    expect(session.unreadable).toEqual([
      expect.objectContaining({ reason: expect.stringMatching('another call') }),
    ]);
  });

  it('keeps the first thousand skipped lines and counts the rest', () => {
    const { dir, index } = threeCalls();
    appendFileSync(index, 'garbage\n'.repeat(2500));
    const session = openSession(dir);
    expect([session.unreadable.length, session.unreadableCount]).toEqual([1000, 2500]);
  });

  it('believes the dump where the index lacks the end of a call', () => {
    const { dir, index, lines } = threeCalls();
    writeFileSync(index, lines.filter((_, line) => line !== 3).join(''));
    const session = openSession(dir);
    expect(statesOf(session)).toEqual(ALL_COMPLETED);
    const [, norm] = session.calls;
    if (norm === undefined) throw new Error('no call');
    expect(session.readRecord(norm).fir?.duration_us).toBe(1001);
  });

  it('leaves a call unfinished where neither file says its end', () => {
    const dir = makeTempDir();
    writeSession(dir, [
      { functionName: 'hang', status: 'inputs_saved' },
      { functionName: 'fail', status: 'failed' },
    ]);
    expect(statesOf(openSession(dir))).toEqual([
      ['hang', 'inputs_saved'],
      ['fail', 'failed'],
    ]);
  });

  it('says that a record can’t be read any more when its file changed', () => {
    const { dir, index, lines } = threeCalls();
    const session = openSession(dir);
    writeFileSync(index, 'x'.repeat(lines.join('').length));
    const [first] = session.calls;
    if (first === undefined) throw new Error('no call');
    expect(() => session.readRecord(first)).toThrow(expect.objectContaining({ code: 'UNREADABLE_RECORD' }));
    rmSync(index);
    expect(() => session.readRecord(first)).toThrow(expect.objectContaining({ code: 'UNREADABLE_RECORD' }));
  });

  it('never throws, and gives the records that survive, whatever bytes are lost or changed', () => {
    const { dir, index } = threeCalls();
    const content = readFileSync(index);
    const damage = fc.record({
      at: fc.nat(content.length),
      length: fc.nat(600),
      garbage: fc.uint8Array({ maxLength: 40 }),
    });
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) => {
        let damaged: Buffer = content;
        for (const { at, length, garbage } of damages) {
          damaged = Buffer.concat([damaged.subarray(0, at), garbage, damaged.subarray(at + length)]);
        }
        writeFileSync(index, damaged);
        const session = openSession(dir);
        const untouched = linesOf(content).filter((line) => linesOf(damaged).includes(line));
        expect(session.records).toBeGreaterThanOrEqual(new Set(untouched).size);
        // The dumps are whole, so that no call is lost with the index.
        expect(session.calls.length).toBeGreaterThanOrEqual(3);
        for (const call of session.calls) if (call.status !== 'no_record') session.readRecord(call);
      }),
      { numRuns: 150 },
    );
  });
});

function linesOf(content: Buffer): string[] {
  return content
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '');
}

function recordWith(fields: object): string {
  return JSON.stringify({ function_name: 'f', dump_dir: 'd', execution_status: 'completed', ...fields });
}
