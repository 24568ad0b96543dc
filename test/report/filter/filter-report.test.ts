import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PLAIN } from '../../../src/cli/colour.js';
import { failureFrom } from '../../../src/cli/failure.js';
import { FirError } from '../../../src/core/errors.js';
import { type FilterOptions, filterSession } from '../../../src/core/retain/index.js';
import { FilterJson } from '../../../src/report/filter/json.js';
import { FilterText } from '../../../src/report/filter/text.js';
import { expectValid } from '../../support/schema.js';
import { tensorOf, type WrittenCall, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';
import { HOSTILE, textSink } from '../replay-results.js';

function optionsFor(path: string, options: Partial<FilterOptions> = {}): FilterOptions {
  return {
    path,
    conditions: {},
    asked: {},
    withClosure: true,
    stateful: {},
    destination: undefined,
    ...options,
  };
}

async function textOf(options: FilterOptions): Promise<string> {
  const sink = textSink();
  const report = new FilterText(sink, PLAIN, options, undefined);
  const result = await filterSession(options, report);
  await report.end(result, 0);
  return sink.text;
}

function sessionOf(calls: WrittenCall[]): string {
  const path = makeTempDir();
  writeSession(path, calls);
  return path;
}

describe('the text', () => {
  test('takes calls in a row that are there for one reason together', async () => {
    const names = ['f', 'f', 'g', 'f', 'f', 'f'];
    const path = sessionOf(names.map((functionName) => ({ functionName })));
    expect(await textOf(optionsFor(path))).toBe(
      '  1-2 f\n  3 g\n  4-6 f\n\n6 calls selected of 6; 6 calls would be written\n',
    );
  });

  test('shows the first lines of many where it writes, and all where it only lists', async () => {
    const calls = Array.from({ length: 50 }, (_, index) => ({ functionName: index % 2 === 0 ? 'f' : 'g' }));
    const path = sessionOf(calls);
    const listed = await textOf(optionsFor(path));
    expect(listed.split('\n')).toHaveLength(50 + 3);
    const written = await textOf(optionsFor(path, { destination: join(makeTempDir(), 'out') }));
    expect(written).toContain('\n  40 g\n  … and 10 more lines; --dry-run shows all\n\n');
  });

  test('says what can not replay, and what could not be looked into', async () => {
    const path = makeTempDir();
    const [first] = writeSession(path, [
      { functionName: 'f', inputs: { arg_0: tensorOf('float32', [Number.NaN]) } },
      {
        functionName: 'A.run',
        selfId: 7,
        inputs: { arg_0: tensorOf('float32', [Number.NaN]) },
        fir: { self_class: 'A' },
      },
    ]);
    writeFileSync(join(first?.path ?? '', 'inputs.safetensors'), 'torn');
    const text = await textOf(optionsFor(path, { conditions: { hasNan: true } }));
    expect(text).toContain(
      "note: call 2 won't replay: its constructor was not recorded (A object 7); record it with --include 'A.*'\n",
    );
    expect(text).toContain('note: 1 call could not be looked into; call 1: ');
  });

  test('of a hostile session keeps to its lines', async () => {
    const path = sessionOf([
      { functionName: 'f' },
      { functionName: 'f', record: { function_name: HOSTILE } },
    ]);
    const text = await textOf(optionsFor(path));
    expect(text.split('\n')).toHaveLength(5);
    expect(text).not.toMatch(/[\u001b\u202e\r]/);
  });
});

describe('the document', () => {
  test('that breaks off ends with the error', async () => {
    const path = sessionOf([{ functionName: 'f', record: { function_name: HOSTILE } }]);
    const sink = textSink();
    const options = optionsFor(path, { asked: { include: ['*'] } });
    const report = new FilterJson(sink, options);
    await filterSession(options, report);
    const failure = failureFrom(new FirError('IO_FAILED', 'no space left'));
    expect(await report.abandon(failure)).toBe(true);
    const document = JSON.parse(sink.text);
    expectValid(document);
    expect(document).toMatchObject({ error: { code: 'IO_FAILED' }, exitCode: 2 });
    expect(document.summary).toBeUndefined();
  });

  test('that was not begun leaves the failure to others', async () => {
    const report = new FilterJson(textSink(), optionsFor('nowhere'));
    expect(await report.abandon(failureFrom(new FirError('NOT_FOUND', 'gone')))).toBe(false);
  });
});
