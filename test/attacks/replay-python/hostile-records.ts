// Calls whose records ask for something to be run.
import type { JsonValue } from '../../../src/core/model/json.js';
import { DEMO, type HostileCall } from './hostile-session.js';

/** What of the attempt exists before anything is run. */
export interface Bait {
  /** Appears where the attempt succeeds. */
  marker: string;
  /** A Python file that makes it. */
  script: string;
}

export interface HostileRecord {
  what: string;
  call(bait: Bait): HostileCall;
  /** Of the call where `fir_demo_kernels` is allowed. */
  reason: RegExp;
  verdict: 'skipped' | 'error';
}

const touch = ({ marker }: Bait) => `touch '${marker}'`;

function list(...items: JsonValue[]): JsonValue {
  return { type: 'list', length: items.length, items };
}

function object(type: string, path: string, address: number): JsonValue {
  return { type, repr: `<${path} object at 0x${address.toString(16)}>` };
}

function foreign(
  module: string,
  functionName: string,
  inputs: (bait: Bait) => Record<string, JsonValue>,
): HostileRecord {
  return {
    what: `${module}.${functionName}`,
    call: (bait) => ({ module, functionName, inputs: inputs(bait) }),
    verdict: 'skipped',
    reason: new RegExp(`^not allowed: ${module} is a Python module .*; add --allow '${module}'$`),
  };
}

/** They run where their own module is allowed, so that each of them is a real danger. */
export const DANGEROUS: readonly HostileRecord[] = [
  foreign('posix', 'system', (bait) => ({ arg_0: touch(bait) })),
  foreign('builtins', 'eval', ({ marker }) => ({ arg_0: `open(${JSON.stringify(marker)}, "w").close()` })),
  foreign('builtins', 'exec', ({ marker }) => ({ arg_0: `open(${JSON.stringify(marker)}, "w").close()` })),
  foreign('subprocess', 'check_call', ({ marker }) => ({ arg_0: list('touch', marker) })),
  foreign('runpy', 'run_path', ({ script }) => ({ arg_0: script })),
  foreign('pickle', '_loads', (bait) => ({
    arg_0: {
      type: 'bytes',
      repr: `b"cos\\nsystem\\n(S${JSON.stringify(touch(bait)).replaceAll('"', '\\"')}\\ntR."`,
    },
  })),
];

/** They are never run: what a module only imported is another module's. */
export const PASSED_ON: HostileRecord = {
  ...foreign('os', 'system', (bait) => ({ arg_0: touch(bait) })),
};

const demo = (
  what: string,
  functionName: string,
  reason: RegExp,
  verdict: 'skipped' | 'error',
  inputs: (bait: Bait) => Record<string, JsonValue> = (bait) => ({ arg_0: touch(bait) }),
  selfId?: number,
): HostileRecord => ({
  what,
  call: (bait) => ({
    module: DEMO,
    functionName,
    inputs: inputs(bait),
    ...(selfId === undefined ? {} : { selfId }),
  }),
  reason,
  verdict,
});

const NO_FUNCTION = /is no (name of|path to) a function/;

/** What a record can reach from a module that is allowed, or try to. */
export const FROM_THE_ALLOWED: readonly HostileRecord[] = [
  demo('a module of the module', 'os.system', /was not made by any call before it/, 'skipped'),
  demo('a module of a module of the module', 'os.path.os.system', NO_FUNCTION, 'error'),
  demo('the built-ins of the module', '__builtins__.eval', NO_FUNCTION, 'error'),
  demo('the loader of the module', '__loader__', NO_FUNCTION, 'error'),
  demo('the class of a class', 'BatchDemoWrapper.__class__', NO_FUNCTION, 'error'),
  demo('the classes under a class', 'BatchDemoWrapper.__subclasses__', NO_FUNCTION, 'error'),
  demo('the globals of a constructor', '__init__.__globals__', NO_FUNCTION, 'error'),
  demo('the globals of a function', 'row_scale.__globals__', NO_FUNCTION, 'error'),
  demo('an expression', "row_scale or __import__('os').system", NO_FUNCTION, 'error'),
  demo('a function that it only imported', 'namedtuple', /has no function 'namedtuple'/, 'error'),
  demo('an enum of another module', 'options', /holds an enum os, which was not found/, 'skipped', () => ({
    arg_0: { type: 'enum', name: 'os.system', value: 1 },
  })),
  demo(
    'an enum that is no enum',
    'options',
    /holds an enum BatchDemoWrapper, which was not found/,
    'skipped',
    () => ({ arg_0: { type: 'enum', name: 'BatchDemoWrapper.__init__', value: 1 } }),
  ),
  demo('a named tuple that is a class of another kind', 'options', /only described/, 'skipped', (bait) => ({
    arg_0: { type: 'Popen', length: 1, items: [touch(bait)] },
  })),
  demo(
    'an object of another module as an argument',
    'options',
    /holds a Popen that no call before it made|constructor was not recorded/,
    'skipped',
    () => ({ arg_0: 1, arg_1: object('Popen', 'subprocess.Popen', 0x10) }),
  ),
  demo(
    'a constructor of an object of another module',
    'Popen.__init__',
    /module 'subprocess' is not allowed; add --allow 'subprocess'/,
    'skipped',
    (bait) => ({ arg_0: object('Popen', 'subprocess.Popen', 0x20), arg_1: list('sh', '-c', touch(bait)) }),
    0x20,
  ),
  demo(
    'a constructor of an object of a module of the module',
    'Popen.__init__',
    /has no class 'subprocess\.Popen'/,
    'error',
    (bait) => ({
      arg_0: object('Popen', `${DEMO}.subprocess.Popen`, 0x30),
      arg_1: list('sh', '-c', touch(bait)),
    }),
    0x30,
  ),
  demo(
    'a constructor without a name for its class',
    '__init__',
    /module 'os' is not allowed/,
    'skipped',
    (bait) => ({ arg_0: object('_wrap_close', 'os._wrap_close', 0x40), arg_1: touch(bait) }),
  ),
  demo(
    'a function of another module as a method',
    'system',
    /constructor was not recorded|was not made by any call/,
    'skipped',
    (bait) => ({ arg_0: object('BatchDemoWrapper', `${DEMO}.BatchDemoWrapper`, 0x50), arg_1: touch(bait) }),
  ),
];

const named = (what: string, module: string, functionName: string, reason: RegExp): HostileRecord => ({
  what,
  call: (bait) => ({ module, functionName, inputs: { arg_0: bait.script, arg_1: 0 } }),
  verdict: 'skipped',
  reason,
});

const NO_MODULE = /^not allowed: '.*' is no name of a Python module$/s;
const RUNS_A_PROGRAM = /would run (the|a) program/;

/** What no pattern allows. */
export const NEVER_ALLOWED: readonly HostileRecord[] = [
  named('the entry file', '__main__', 'run', RUNS_A_PROGRAM),
  named('the program of a package', 'json.__main__', 'run', RUNS_A_PROGRAM),
  named("the program of FlashInfer's package", 'flashinfer.__main__', 'run', RUNS_A_PROGRAM),
  named("the replay worker's own loader", 'fir_replay.modules', '_load_file', /fir_replay/),
  named('a relative name', '..os', 'system', NO_MODULE),
  named('a path', '../outside', 'run', NO_MODULE),
  named('a name with a line and a colour', 'os\n\u001b[31mfir: all calls passed', 'system', NO_MODULE),
  named('no name', '', 'system', NO_MODULE),
];
