// Values that a pickle makes by running something, each in a way of its own.
import { writeFileSync } from 'node:fs';
import {
  bool,
  call,
  dict,
  emptyTuple,
  global,
  integer,
  list,
  none,
  pickle,
  reference,
  storage,
  tensor,
  text,
  tuple,
} from '../../core/torch/raw-pickle.js';
import { placeTorchFile } from './hostile-session.js';

export interface HostilePickle {
  what: string;
  /** The value, which leaves the file `marker` behind where it is made for real. */
  make(marker: string): Buffer;
  /** What of it is told by name. */
  names: string[];
  /** Of the pickle; 4, in which names may have dots, where it does not matter. */
  protocol?: number;
}

export interface HostileFile {
  what: string;
  write(path: string, marker: string): void;
  /** Why nothing of it is read. */
  says: string;
  /** As of a pickle. */
  names?: string[];
}

const BUILD = Buffer.from('b');
const PROTOCOL_2 = Buffer.from([0x80, 2]);
const STACK_GLOBAL = Buffer.from([0x93]);
const system = global('os', 'system');
const touch = (marker: string) => text(`touch '${marker}'`);
const opening = (marker: string) => text(`open(${JSON.stringify(marker)}, "w").close()`);
const rebuild = global('torch._utils', '_rebuild_tensor_v2');

function named(module: string, name: string): Buffer {
  return Buffer.concat([text(module), text(name), STACK_GLOBAL]);
}

const GOOD: readonly (readonly [key: string, value: Buffer])[] = [
  ['arg_0', tensor()],
  ['result', tensor()],
];

/** A tensor as torch makes it, but for one part. */
function tensorOf(parts: { storage?: Buffer; offset?: Buffer; hooks?: Buffer }): Buffer {
  return call(
    rebuild,
    parts.storage ?? storage({}),
    parts.offset ?? integer(0),
    tuple(integer(4)),
    tuple(integer(1)),
    bool(false),
    parts.hooks ?? call(global('collections', 'OrderedDict')),
  );
}

/** Where a tensor should be. */
export const IN_PLACE_OF_A_TENSOR: readonly HostilePickle[] = [
  { what: 'os.system', make: (marker) => call(system, touch(marker)), names: ['os.system'] },
  {
    what: 'posix.system, named from the stack',
    make: (marker) => call(named('posix', 'system'), touch(marker)),
    names: ['posix.system'],
  },
  {
    what: 'builtins.eval',
    make: (marker) => call(global('builtins', 'eval'), opening(marker)),
    names: ['builtins.eval'],
  },
  {
    what: 'builtins.exec by its older name',
    make: (marker) => call(global('__builtin__', 'exec'), opening(marker)),
    names: ['__builtin__.exec'],
    protocol: 2,
  },
  {
    what: 'a program of subprocess',
    make: (marker) => call(global('subprocess', 'check_call'), list(text('touch'), text(marker))),
    names: ['subprocess.check_call'],
  },
  {
    what: 'calls of what calls give',
    make: (marker) =>
      call(
        call(
          global('builtins', 'getattr'),
          call(global('builtins', '__import__'), text('os')),
          text('system'),
        ),
        touch(marker),
      ),
    names: ['builtins.getattr', 'builtins.__import__'],
  },
  {
    what: 'a module inside a module of torch',
    make: (marker) => call(named('torch.serialization', 'os.system'), touch(marker)),
    names: ['torch.serialization.os.system'],
  },
  {
    what: 'a state that makes a call of an object',
    make: (marker) =>
      call(
        Buffer.concat([
          call(global('functools', 'partial'), system),
          tuple(system, tuple(touch(marker)), dict(), dict()),
          BUILD,
        ]),
      ),
    names: ['functools.partial', 'os.system'],
  },
  {
    what: 'the storage of a tensor',
    make: (marker) => tensorOf({ storage: call(system, touch(marker)) }),
    names: ['os.system'],
  },
  {
    what: 'the offset of a tensor',
    make: (marker) => tensorOf({ offset: call(system, touch(marker)) }),
    names: ['os.system'],
  },
  {
    what: 'what a parameter is made of',
    make: (marker) =>
      call(global('torch._utils', '_rebuild_parameter'), call(system, touch(marker)), bool(true), none),
    names: ['os.system'],
  },
];

/** A whole value of a file, whose tensors `arg_0` and `result` can be read all the same. */
export const BESIDE_TENSORS: readonly HostilePickle[] = [
  {
    what: 'a value that no argument is',
    make: (marker) => dict(...GOOD, ['more', call(system, touch(marker))]),
    names: ['os.system'],
  },
  {
    what: 'a key',
    make: (marker) => dict(...GOOD, [call(system, touch(marker)), none]),
    names: ['os.system'],
  },
  {
    what: 'the hooks of a tensor',
    make: (marker) => {
      const hooked = tensorOf({ hooks: call(system, touch(marker)) });
      return dict(['arg_0', hooked], ['result', hooked]);
    },
    names: ['os.system'],
  },
  {
    what: 'a value that is dropped at once',
    make: (marker) => Buffer.concat([call(system, touch(marker)), Buffer.from('0'), dict(...GOOD)]),
    names: ['os.system'],
  },
];

/** Files of which nothing can be read. */
export const IN_PLACE_OF_A_FILE: readonly HostileFile[] = [
  {
    what: 'the id of a storage',
    write: (path, marker) => {
      const id = tuple(text('storage'), call(system, touch(marker)), text('0'), text('cpu'), integer(4));
      placeTorchFile(path, pickle(dict(['arg_0', reference(id)])));
    },
    says: 'no tensor "(arg_0|result)" in the file',
    names: ['os.system'],
  },
  {
    what: 'a state given to a tensor',
    write: (path, marker) => {
      const changed = Buffer.concat([tensor(), tuple(call(system, touch(marker)), emptyTuple), BUILD]);
      placeTorchFile(path, pickle(dict(['arg_0', changed])));
    },
    says: 'the pickle is damaged: it changes a tensor after it was made',
  },
  {
    what: 'a pickle without an archive around it',
    write: (path, marker) => writeFileSync(path, pickle(call(system, touch(marker)))),
    says: 'looks like a pickle, as torch.save wrote before 1.6',
  },
  {
    what: 'two pickles, of which the other is good',
    write: (path, marker) => {
      const second = { name: 'archive/data.pkl', content: pickle(dict(...GOOD)) };
      placeTorchFile(path, pickle(call(system, touch(marker))), [second]);
    },
    says: 'two records are called "archive/data.pkl"',
  },
  {
    what: 'an end that no good pickle has',
    write: (path, marker) =>
      placeTorchFile(
        path,
        Buffer.concat([PROTOCOL_2, call(system, touch(marker)), Buffer.from([0x82, 1, 0x2e])]),
      ),
    says: 'which torch never writes',
  },
];
