import { describe, expect, it } from 'vitest';
import type { ProcessHeader } from '../../../src/core/model/session.js';
import { redactHeader } from '../../../src/core/redact/index.js';
import { relativePath } from '../../../src/core/redact/relative-path.js';
import { scrubFault, scrubReason, scrubSignature } from '../../../src/core/redact/text-scrubs.js';

const HEADER: ProcessHeader = {
  format: 'fir.process/1',
  process_uid: 'a1',
  pid: 7,
  thread_id: 0,
  started_at: '2026-11-24T14:32:17.012000Z',
  host: { platform: 'linux', arch: 'x64', release: '6.1', cpu: 'SECRET cpu', memoryBytes: 8 },
  argv: ['/opt/SECRET/node', '/home/SECRET/app/src/main.js', '--key=SECRET', 'SECRET'],
  execArgv: ['--stack-size=2000', '--require', '/home/SECRET/hook.cjs', '--title=SECRET'],
  node_options: '--max-old-space-size=600 --import=/home/SECRET/a.mjs',
  cwd: '/home/SECRET/app',
  env: { TZ: 'SECRET', OMP_NUM_THREADS: '4', CUDA_VISIBLE_DEVICES: '0,1' },
  versions: { node: '20.0.0' },
  gpus: [],
  hooked: ['onnxruntime-node@1.30.0', '/home/SECRET/app/kernels.js#gemm'],
  functions: {
    gemm: { kind: 'module', root: '/home/SECRET/app', module: 'kernels.js', export: 'gemm' },
    other: { kind: 'module', root: '/home/SECRET/other', module: 'kernels.js', export: 'other' },
  },
  dropped: { limit: 1, filter: 0, error: 1 },
  errors: [{ message: "begin: ENOSPC: no space left, open '/home/SECRET/x'", count: 2 }],
};

describe('a process header', () => {
  it('keeps versions, numbers and relative paths', () => {
    expect(redactHeader(HEADER)).toMatchObject({
      host: { platform: 'linux', arch: 'x64', release: '', cpu: '', memoryBytes: 0 },
      argv: ['node', 'src/main.js', '[redacted]', '[redacted]'],
      execArgv: ['--stack-size=2000', '--require', '[redacted]', '--title=[redacted]'],
      node_options: '--max-old-space-size=600 --import=[redacted]',
      cwd: '.',
      env: { TZ: '[redacted]', OMP_NUM_THREADS: '4', CUDA_VISIBLE_DEVICES: '0,1' },
      versions: { node: '20.0.0' },
      hooked: ['onnxruntime-node@1.30.0', 'kernels.js#gemm'],
      functions: { gemm: { root: '.', module: 'kernels.js' }, other: { root: 'other' } },
      dropped: { limit: 1, filter: 0, error: 1 },
      errors: [{ message: 'begin: ENOSPC', count: 2 }],
    });
  });

  it('holds nothing else', () => {
    expect(JSON.stringify(redactHeader(HEADER))).not.toContain('SECRET');
  });

  it('keeps no argument that stands where a file would', () => {
    const evaluated = { ...HEADER, argv: ['/opt/node', '/home/app/SECRET'], execArgv: ['-e', 'SECRET'] };
    expect(JSON.stringify(redactHeader(evaluated).argv)).not.toContain('SECRET');
  });

  it('stays as it is the second time', () => {
    const once = redactHeader(HEADER);
    expect(redactHeader(once)).toEqual(once);
  });
});

it.each([
  ['/home/me/app/src/a.js', '/home/me/app', 'src/a.js'],
  ['/home/me/app', '/home/me/app', '.'],
  ['/home/me', '/home/me/app', '..'],
  ['/home/me/models/m.onnx', '/home/me/app', 'm.onnx'],
  ['/home/me/models/m.onnx', undefined, 'm.onnx'],
  ['models/m.onnx', '/home/me/app', 'models/m.onnx'],
  ['../me/m.onnx', '/home/me/app', 'm.onnx'],
  ['C:\\Users\\me\\app\\a.js', 'C:\\Users\\me\\app', 'a.js'],
  ['D:\\Users\\me\\a.js', 'C:\\Users\\me\\app', 'a.js'],
  ['flashinfer.decode', undefined, 'flashinfer.decode'],
])('the path %s seen from %s is %s', (path, directory, expected) => {
  expect(relativePath(path, directory)).toBe(expected);
});

it.each([
  ["(a, key = 'SECRET', n = 3)", "(a, key = '…', n = 3)"],
  ['(a = "it\'s \\" SECRET", b = `SECRET`)', '(a = "…", b = `…`)'],
  ["(a = 'SECRET that was cu", "(a = '…'"],
  ["(mode=<Mode.SUM: 'sum'>, dtype=torch.float16)", "(mode=<Mode.SUM: '…'>, dtype=torch.float16)"],
])('of the signature %s no text is left', (signature, expected) => {
  expect(scrubSignature(signature)).toBe(expected);
});

it('a place is not named by the key of a map', () => {
  const keys = new Set(['a-b', 'name']);
  expect(scrubReason('arg_0["a-b"].name.names is a function', keys)).toBe('arg_0[…][…].names is a function');
  expect(scrubReason('arg_0 is not readable: SECRET', keys)).toBe('arg_0 is not readable');
});

it('of a fault its kind stays', () => {
  expect(scrubFault('end: EACCES: permission denied, open SECRET')).toBe('end: EACCES');
  expect(scrubFault('SECRET happened')).toBe('an error');
});
