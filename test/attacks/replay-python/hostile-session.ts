// Sessions as FlashInfer lays them down, with .pt files by hand, and what a user would run on them.
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { JsonValue } from '../../../src/core/model/json.js';
import { archivePieces, type RawRecord, torchRecords } from '../../core/torch/raw-zip.js';
import { type ProcessResult, repository } from '../../support/fir.js';
import { type WrittenCall, type WrittenDump, writeSession } from '../../support/session-writer.js';

/** Modules that a user would have allowed. */
export const DEMO_MODULES = join(repository, 'test/fixtures/flashinfer/py');
export const DEMO = 'fir_demo_kernels';

const FOUR_FLOATS = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer);

/** The flags of a user who has the recorded program's Python; without consent to anything. */
export function pythonFlags(python: string): string[] {
  return ['--python', python, '--pythonpath', DEMO_MODULES, '--device', 'cpu'];
}

/** A torch.save archive of a pickle and a storage `0` of four floats. */
export function placeTorchFile(path: string, pickle: Uint8Array, more: readonly RawRecord[] = []): void {
  placeRecords(path, [...torchRecords(pickle, { 0: FOUR_FLOATS }), ...more]);
}

export function placeRecords(path: string, records: readonly RawRecord[]): void {
  const fd = openSync(path, 'w');
  for (const { at, bytes } of archivePieces(records)) writeSync(fd, bytes, 0, bytes.byteLength, at);
  closeSync(fd);
}

export interface HostileCall {
  module: string;
  functionName: string;
  selfId?: number;
  inputs?: Record<string, JsonValue>;
  outputs?: Record<string, JsonValue>;
  inputKeys?: readonly string[];
  outputKeys?: readonly string[];
}

/** Writes the session; each call's files are the caller's to write. */
export function writeHostileSession(dir: string, calls: readonly HostileCall[]): WrittenDump[] {
  return writeSession(
    dir,
    calls.map((call, index) => writtenCall(call, index)),
    { foreign: true },
  );
}

function writtenCall(call: HostileCall, index: number): WrittenCall {
  const { module, functionName, selfId, inputs = {}, outputs = {}, inputKeys = [], outputKeys = [] } = call;
  return {
    module,
    functionName,
    ...(selfId === undefined ? {} : { selfId }),
    inputMetadata: inputs,
    outputMetadata: outputs,
    record: {
      tensor_format: 'torch',
      // Of one process, whatever the functions are called.
      call_sequence: index + 1,
      tensor_info: { input_tensor_keys: [...inputKeys], output_tensor_keys: [...outputKeys] },
    },
  };
}

/** Whatever happened, it was said plainly: a known exit code, no stack of fir's, nothing that steers a terminal. */
export function expectPlain({ code, signal, stdout, stderr }: ProcessResult): void {
  expect([0, 1, 2, 3]).toContain(code);
  expect(signal).toBeNull();
  for (const text of [stdout, stderr]) {
    expect(text).not.toMatch(/^\s+at .*:\d+|Traceback/m);
    expect(text).not.toMatch(
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/,
    );
  }
}
