// A client of the Python replay worker, for tests that hold the worker itself against its protocol.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { parseJson } from '../../src/core/json/index.js';
import { encodeFrameHead, type Frame, FrameReader } from '../../src/core/replay/python/frames.js';
import { pythonWithTorch } from './python.js';

export const WORKER = fileURLToPath(new URL('../../python/fir_replay', import.meta.url));
/** Modules that the tests call. */
export const MODULES = fileURLToPath(new URL('../core/executors/python/modules', import.meta.url));
const DEMO_MODULES = fileURLToPath(new URL('../fixtures/flashinfer/py', import.meta.url));
export const MARK = '0123456789abcdef0123456789abcdef';

export interface WireTensor {
  dtype?: string;
  shape: number[];
  stride?: number[];
  /** In elements. */
  offset?: number;
  /** Index into the storages; by default a storage for each tensor. */
  storage?: number;
  device?: string;
  parameter?: boolean;
  requires_grad?: boolean;
}

export interface CallSpec {
  function: string;
  module?: string;
  signature?: string;
  kind?: 'function' | 'method' | 'constructor';
  class?: { module: string; qualname: string } | null;
  target?: { file: string; export: string } | null;
  /** `input_metadata`, or the text of it as Python wrote it, of `arg_0` alone. */
  input?: Record<string, unknown> | string;
  /** By default the keys `arg_<n>` of `input` and `tensors`. */
  positional?: string[];
  named?: [key: string, name: string][];
  self?: string | null;
  uses?: { self_id: string; class: string; key: string }[];
  makes?: string[];
  purpose?: 'check' | 'repeat' | 'state';
  tensors?: Record<string, WireTensor>;
  storages?: (Buffer | { bytes: number; file: string; offset: number } | { bytes: number; inline: number })[];
}

interface OutcomeTensor {
  key: string;
  dtype: string;
  shape: number[];
  stride: number[];
  device: string;
  storage: string;
  layout: string;
  bytes: number;
  inline?: number;
  file?: string;
}

export interface Outcome {
  end: 'returned' | 'threw' | 'refused';
  error?: { name: string; message: string; stack?: string; code?: string };
  duration_us: number;
  result?: unknown;
  tensors?: OutcomeTensor[];
  notes: string[];
  fatal?: true;
}

export interface Ran {
  outcome: Outcome;
  phases: string[];
  payload: Buffer;
  /** The JSON of the outcome as it came. */
  json: string;
  stdout: string;
  stderr: string;
}

interface StartOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  setup?: Record<string, unknown>;
}

/** A worker and the pipes to it. */
export class PythonWorkerClient {
  readonly child: ChildProcess;
  readonly requests: Writable;
  readonly exited: Promise<string | number>;
  readonly folder = mkdtempSync(join(tmpdir(), 'fir-test-worker-'));
  readonly #frames: Frame[] = [];
  readonly #output = { stdout: '', stderr: '' };
  #id = 0;
  #wake: () => void = () => undefined;
  #isGone = false;

  constructor(python: string, { cwd = tmpdir(), env = {} }: StartOptions = {}) {
    this.child = spawn(python, [WORKER, MARK, String(process.pid)], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    });
    const [, stdout, stderr, requests, answers] = this.child.stdio;
    this.requests = requests as Writable;
    this.requests.on('error', () => undefined);
    const reader = new FrameReader(MARK, (frame) => {
      this.#frames.push(frame);
      this.#wake();
    });
    (answers as Readable).on('data', (chunk: Buffer) => reader.push(chunk));
    for (const [name, stream] of [
      ['stdout', stdout],
      ['stderr', stderr],
    ] as const) {
      (stream as Readable).setEncoding('latin1').on('data', (text: string) => {
        this.#output[name] += text;
        this.#wake();
      });
    }
    this.exited = once(this.child, 'close').then(([code, signal]) => {
      this.#isGone = true;
      this.#wake();
      return signal ?? code;
    });
  }

  /** A worker that is set up: tensors stay on the CPU, the tests' modules may be called. */
  static async start(options: StartOptions = {}): Promise<PythonWorkerClient> {
    const worker = new PythonWorkerClient(await pythonWithTorch(), options);
    worker.send(worker.setup(options.setup));
    const { type, message } = JSON.parse((await worker.frame()).json);
    if (type !== 'ready') throw new Error(message);
    return worker;
  }

  /** The same, ended with the test. */
  static async startForTest(options: StartOptions = {}): Promise<PythonWorkerClient> {
    const worker = await PythonWorkerClient.start(options);
    onTestFinished(async () => {
      await worker.close();
    });
    return worker;
  }

  setup(more: Record<string, unknown> = {}): object {
    return {
      type: 'setup',
      python_path: [MODULES, DEMO_MODULES],
      device: 'cpu',
      allow: ['worker_*', 'fir_demo_kernels'],
      shared: this.folder,
      fallback: this.folder,
      inline_bytes: 65536,
      ...more,
    };
  }

  send(message: object, payload: Buffer = Buffer.alloc(0)): void {
    this.requests.write(bytesOfFrame(message, payload));
  }

  /** The next frame; Error where the worker ends first. */
  async frame(): Promise<Frame> {
    await this.#until(() => this.#frames.length > 0);
    const frame = this.#frames.shift();
    if (frame === undefined) throw new Error(`the worker ended: ${this.#output.stderr}`);
    return frame;
  }

  /** Runs a call. Rejects where the worker ends. */
  async run(spec: CallSpec): Promise<Ran> {
    const { message, payload } = this.request(spec);
    this.send(message, payload);
    return this.outcome();
  }

  request(spec: CallSpec): { message: object; payload: Buffer } {
    this.#id += 1;
    return runRequest(this.#id, spec);
  }

  /** What comes until the call has ended. */
  async outcome(): Promise<Ran> {
    const phases: string[] = [];
    for (;;) {
      const { json, payload } = await this.frame();
      const message = parseJson(json) as unknown as Outcome & { type: string; id: number; phase: string };
      if (message.type === 'phase') phases.push(message.phase);
      else {
        const end = `\0${MARK} ${message.id}\0`;
        await this.#until(() => this.#output.stdout.includes(end) && this.#output.stderr.includes(end));
        const [stdout, stderr] = [this.#take('stdout', end), this.#take('stderr', end)];
        return { outcome: message, phases, payload, json, stdout, stderr };
      }
    }
  }

  async close(): Promise<string | number> {
    this.requests.end();
    const end = await this.exited;
    rmSync(this.folder, { recursive: true, force: true });
    return end;
  }

  get output(): { stdout: string; stderr: string } {
    return { ...this.#output };
  }

  #take(name: 'stdout' | 'stderr', end: string): string {
    const [text = '', ...rest] = this.#output[name].split(end);
    this.#output[name] = rest.join(end);
    return text;
  }

  async #until(isDone: () => boolean): Promise<void> {
    while (!isDone() && !this.#isGone) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

export function bytesOfFrame(message: object, payload: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([encodeFrameHead(MARK, JSON.stringify(message), payload.length), payload]);
}

/** A tensor of 32-bit floats and its memory. */
export function floats(values: readonly number[], shape: number[] = [values.length]): [WireTensor, Buffer] {
  return [{ dtype: 'float32', shape }, Buffer.from(new Float32Array(values).buffer)];
}

/** The values of a tensor of 32-bit floats that came back. */
export function floatsOf({ outcome, payload }: Ran, key = 'result'): number[] {
  const tensor = outcome.tensors?.find((each) => each.key === key);
  if (tensor?.inline === undefined) throw new Error(`no tensor ${key}: ${JSON.stringify(outcome)}`);
  const bytes = Buffer.from(payload.subarray(tensor.inline, tensor.inline + tensor.bytes));
  return [...new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)];
}

function runRequest(id: number, spec: CallSpec): { message: object; payload: Buffer } {
  const { input = {}, tensors = {}, storages = [] } = spec;
  const text = Buffer.from(
    `{"function_name": "it", "input_metadata": ${typeof input === 'string' ? input : JSON.stringify(input)}}`,
  );
  const payload: Buffer[] = [text];
  let payloadBytes = text.length;
  const wireStorages = storages.map((storage) => {
    if (!Buffer.isBuffer(storage)) return storage;
    payload.push(storage);
    payloadBytes += storage.length;
    return { bytes: storage.length, inline: payloadBytes - storage.length };
  });
  const keys = typeof input === 'string' ? ['arg_0'] : [...Object.keys(input), ...Object.keys(tensors)];
  const message = {
    type: 'run',
    id,
    purpose: spec.purpose ?? 'check',
    function: spec.function,
    module: spec.module ?? 'worker_demo',
    signature: spec.signature ?? '',
    kind: spec.kind ?? 'function',
    class: spec.class ?? null,
    target: spec.target ?? null,
    positional: spec.positional ?? keys.filter((key) => /^arg_\d+$/.test(key)).sort(byNumber),
    named: spec.named ?? [],
    self: spec.self ?? null,
    uses: spec.uses ?? [],
    makes: spec.makes ?? [],
    tensors: Object.entries(tensors).map(([key, tensor], index) => ({
      key,
      dtype: 'float32',
      stride: rowMajor(tensor.shape),
      offset: 0,
      storage: index,
      device: 'cpu',
      parameter: false,
      requires_grad: false,
      ...tensor,
    })),
    storages: wireStorages,
    record: [0, text.length],
  };
  return { message, payload: Buffer.concat(payload) };
}

function byNumber(a: string, b: string): number {
  return Number(a.slice(4)) - Number(b.slice(4));
}

function rowMajor(shape: readonly number[]): number[] {
  return shape.map((_, dim) => shape.slice(dim + 1).reduce((product, count) => product * count, 1));
}
