import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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
import { reasonOf, tensorOf } from '../../core/torch/read-tensor.js';
import { faultOf, openPickle } from './open-pickle.js';

const BUILD = Buffer.from('b');
const NEWOBJ = Buffer.from([0x81]);
const NEWOBJ_EX = Buffer.from([0x92]);
const STACK_GLOBAL = Buffer.from([0x93]);

function attacksOn(victim: string): [what: string, attack: Buffer, names: string[]][] {
  const command = text(`touch ${victim}`);
  const code = text(`open(${JSON.stringify(victim)}, "w").close()`);
  const system = global('os', 'system');
  const onStack = Buffer.concat([text('posix'), text('system'), STACK_GLOBAL]);
  return [
    ['a call', call(system, command), ['os.system']],
    ['a call of a built-in', call(global('builtins', 'eval'), code), ['builtins.eval']],
    ['an older name of it', call(global('__builtin__', 'exec'), code), ['__builtin__.exec']],
    ['a name from the stack', call(onStack, command), ['posix.system']],
    [
      'a call of what a call gives',
      call(
        call(
          global('builtins', 'getattr'),
          call(global('builtins', '__import__'), text('os')),
          text('system'),
        ),
        command,
      ),
      ['builtins.getattr', 'builtins.__import__'],
    ],
    [
      'an object with arguments',
      Buffer.concat([global('subprocess', 'Popen'), tuple(command), NEWOBJ]),
      ['subprocess.Popen'],
    ],
    [
      'an object with named arguments',
      Buffer.concat([global('subprocess', 'Popen'), tuple(command), dict(['shell', bool(true)]), NEWOBJ_EX]),
      ['subprocess.Popen'],
    ],
    [
      'an object from a mark',
      Buffer.concat([Buffer.from('('), global('subprocess', 'Popen'), command, Buffer.from('o')]),
      ['subprocess.Popen'],
    ],
    [
      'the state of an object',
      Buffer.concat([
        call(global('my', 'Class')),
        dict(['__setstate__', system], ['x', call(system, command)]),
        BUILD,
      ]),
      ['my.Class', 'os.system'],
    ],
    [
      'a function that torch itself has',
      call(global('torch.hub', 'load_state_dict_from_url'), command),
      ['torch.hub.load_state_dict_from_url'],
    ],
    [
      'a known function with a dotted name',
      call(global('torch._utils', '_rebuild_tensor_v2.__globals__'), command),
      ['torch._utils._rebuild_tensor_v2.__globals__'],
    ],
  ];
}

describe('a pickle that names code', () => {
  const victim = join(tmpdir(), `fir-pwned-${randomUUID()}`);

  it.each(attacksOn(victim))('%s: nothing runs, the tensors beside it are read', (_, attack, names) => {
    const file = openPickle(pickle(dict(['before', tensor()], ['attack', attack], ['after', tensor()])));
    expect(existsSync(victim)).toBe(false);
    expect(file.foreignGlobals).toEqual(names);
    expect(reasonOf(file, 'attack')).toMatch(/an object that only Python knows$/);
    expect(tensorOf(file, 'after').shape).toEqual(tensorOf(file, 'before').shape);
  });

  it.each(attacksOn(victim))('%s as a storage: the tensor is opaque', (_, attack) => {
    const built = call(
      global('torch._utils', '_rebuild_tensor_v2'),
      attack,
      integer(0),
      tuple(integer(4)),
      tuple(integer(1)),
      bool(false),
      none,
    );
    const file = openPickle(pickle(dict(['attack', built])));
    expect(reasonOf(file, 'attack')).toMatch(/^its storage depends on .*an object that only Python knows$/);
    expect(existsSync(victim)).toBe(false);
  });

  it.each(attacksOn(victim))(
    '%s among other arguments: the tensor is opaque or does not need it',
    (_, attack) => {
      const rebuild = global('torch._utils', '_rebuild_tensor_v2');
      const file = openPickle(
        pickle(
          dict(
            ['offset', call(rebuild, storage({}), attack, tuple(integer(4)), tuple(integer(1)), none, none)],
            ['shape', call(rebuild, storage({}), integer(0), attack, tuple(integer(1)), none, none)],
            ['size', call(rebuild, storage({}), integer(0), tuple(attack), tuple(integer(1)), none, none)],
            [
              'hooks',
              call(rebuild, storage({}), integer(0), tuple(integer(4)), tuple(integer(1)), none, attack),
            ],
            ['parameter', call(global('torch._utils', '_rebuild_parameter'), attack, bool(true), none)],
            ['size class', call(global('torch', 'Size'), attack)],
            ['typed', call(global('torch._tensor', '_rebuild_from_type_v2'), attack, attack, attack, attack)],
            ['dict', call(global('collections', 'OrderedDict'), attack)],
          ),
        ),
      );
      const kinds = [...file.entries].map(([key, entry]) => `${key}: ${entry.kind}`);
      expect(kinds).toEqual([
        'offset: opaque',
        'shape: opaque',
        'size: opaque',
        'hooks: tensor',
        'parameter: opaque',
        'size class: opaque',
        'typed: opaque',
        'dict: opaque',
      ]);
      expect(existsSync(victim)).toBe(false);
    },
  );
});

describe('a pickle that is no data of torch', () => {
  it.each([
    ['a reference that is a text', reference(text('0')), 'the pickle refers to something that is no storage'],
    [
      'a reference to a module',
      reference(tuple(text('module'), global('os', 'system'), text('x'), text('y'))),
      'the pickle refers to something that is no storage',
    ],
    [
      'a reference with too little',
      reference(tuple(text('storage'), global('torch', 'FloatStorage'), text('0'))),
      'the pickle refers to a storage in a form that torch never writes',
    ],
    [
      'a reference with a view, of the format before 1.6',
      reference(
        tuple(text('storage'), global('torch', 'FloatStorage'), text('0'), text('cpu'), integer(4), none),
      ),
      'the pickle refers to a storage in a form that torch never writes',
    ],
    [
      'a reference whose key is a number',
      reference(tuple(text('storage'), global('torch', 'FloatStorage'), integer(0), text('cpu'), integer(4))),
      'the pickle refers to a storage in a form that torch never writes',
    ],
    [
      'a tensor that is given a state',
      Buffer.concat([tensor(), tuple(storage({}), integer(0)), BUILD]),
      'the pickle is damaged: it changes a tensor after it was made',
    ],
    ['an extension', Buffer.from([0x82, 1]), 'has opcode 0x82, which torch never writes'],
    ['a buffer from outside', Buffer.from([0x97]), 'has opcode 0x97, which torch never writes'],
    [
      'an opcode of protocol 0',
      Buffer.from('cos\nsystem\n(S"id"\ntR'),
      'has opcode 0x53, which torch never writes',
    ],
    ['an unknown opcode', Buffer.from([0xff]), 'has opcode 0xff, which torch never writes'],
    ['a value from an empty stack', Buffer.from('a'), 'takes a value from an empty stack'],
    [
      'a value from before a mark',
      Buffer.from('](NR'),
      'looks at an empty stack|takes a value from an empty stack',
    ],
    ['a missing mark', Buffer.from('t'), 'looks for a mark that is not there'],
    ['a key without a value', Buffer.from('}(Nu'), 'has a key without a value'],
    ['a value that was never remembered', Buffer.from('h\x07'), 'recalls value 7, which it never remembered'],
    ['a global without an end', Buffer.from('cos'), 'has no line of at most 1024 characters'],
    ['an object of no class', Buffer.from('(o'), 'makes an object of no class'],
    [
      'a global by numbers',
      Buffer.concat([integer(1), integer(2), STACK_GLOBAL]),
      'by something that is no string',
    ],
    ['a text that is not UTF-8', Buffer.from('X\x02\0\0\0\xff\xfe', 'latin1'), 'that is not UTF-8'],
    ['nothing', Buffer.alloc(0), 'takes a value from an empty stack'],
  ])('%s is an error', (_, attack, fault) => {
    expect(faultOf(() => openPickle(pickle(attack)))).toMatch(new RegExp(fault));
  });

  it('a protocol that is not known, or none, is an error', () => {
    expect(faultOf(() => openPickle(pickle(none, 6)))).toContain('is of protocol 6, newer than the 5');
    expect(faultOf(() => openPickle(Buffer.from('N.')))).toContain('does not begin with its protocol');
    expect(faultOf(() => openPickle(Buffer.alloc(0)))).toContain('does not begin with its protocol');
  });

  it('a pickle that never ends is an error', () => {
    expect(faultOf(() => openPickle(pickle(tensor()).subarray(0, -1)))).toContain('the pickle ends early');
  });

  it('every cut of a good pickle is an error', () => {
    const good = pickle(dict(['a', tensor()], ['b', list(tensor(), none)]));
    for (let length = 0; length < good.length; length++) {
      expect(faultOf(() => openPickle(good.subarray(0, length)))).toContain('the pickle');
    }
  });
});

describe('odd keys', () => {
  it('names of JavaScript are plain keys', () => {
    const file = openPickle(
      pickle(dict(['__proto__', tensor()], ['constructor', tensor()], ['toString', emptyTuple])),
    );
    expect([...file.entries.keys()]).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });

  it('of a key that stands twice the last value counts, as in Python', () => {
    const file = openPickle(pickle(dict(['a', tensor()], ['a', tensor({ shape: [2] })])));
    expect(tensorOf(file, 'a').shape).toEqual([2]);
  });

  it('different values of one name are none that is read', () => {
    const file = openPickle(
      pickle(dict(['1', tensor()], [integer(1), tensor()], ['a.0', tensor()], ['a', list(tensor())])),
    );
    expect(reasonOf(file, '1')).toBe('several values are called "1"');
    expect(reasonOf(file, 'a.0')).toBe('several values are called "a.0"');
  });

  it('a device tag of any text stays a text', () => {
    const file = openPickle(pickle(dict(['a', tensor({ device: 'cuda:7; rm -rf /' })])));
    expect(tensorOf(file, 'a').storage.device).toBe('cuda:7; rm -rf /');
  });

  it('a storage key can not leave the folder of storages', () => {
    const file = openPickle(
      pickle(dict(['up', tensor({ key: '../byteorder' })], ['absolute', tensor({ key: '/etc/passwd' })])),
    );
    expect(reasonOf(file, 'up')).toBe('its record "data/../byteorder" is missing');
    expect(reasonOf(file, 'absolute')).toBe('its record "data//etc/passwd" is missing');
  });
});
