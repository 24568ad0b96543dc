import { LIMITS } from './limits.js';
import type { PickleMachine } from './pickle-machine.js';
import { PickleList, type PickleValue } from './pickle-values.js';

type Action = (machine: PickleMachine) => void;

/**
 * What the opcodes of pickle protocols 2 to 5 do but for STOP, by code (Python's Lib/pickletools.py has them all). Those
 * that only older protocols, extension registries or out-of-band buffers use are absent.
 */
export const OPCODES: readonly (Action | undefined)[] = listByCode([
  // PROTO, FRAME (how much to read ahead, which nothing here depends on)
  [0x80, checkProtocol],
  [0x95, (m) => m.cursor.skip(8)],
  // NONE, NEWTRUE, NEWFALSE
  [0x4e, (m) => m.push(null)],
  [0x88, (m) => m.push(true)],
  [0x89, (m) => m.push(false)],
  // BININT, BININT1, BININT2, LONG1, LONG4, BINFLOAT
  [0x4a, (m) => m.push(m.cursor.int32())],
  [0x4b, (m) => m.push(m.cursor.byte())],
  [0x4d, (m) => m.push(m.cursor.uint16())],
  [0x8a, (m) => pushInteger(m, m.cursor.byte())],
  [0x8b, (m) => pushInteger(m, m.cursor.int32())],
  [0x47, (m) => m.push(m.cursor.float())],
  // BINUNICODE, SHORT_BINUNICODE, BINUNICODE8, BINSTRING, SHORT_BINSTRING
  [0x58, (m) => m.push(m.cursor.utf8(m.cursor.uint32()))],
  [0x8c, (m) => m.push(m.cursor.utf8(m.cursor.byte()))],
  [0x8d, (m) => m.push(m.cursor.utf8(m.cursor.length64()))],
  [0x54, (m) => m.push(m.cursor.latin1(m.cursor.int32()))],
  [0x55, (m) => m.push(m.cursor.latin1(m.cursor.byte()))],
  // BINBYTES, SHORT_BINBYTES, BINBYTES8, BYTEARRAY8
  [0x42, (m) => m.pushNew(m.cursor.take(m.cursor.uint32()))],
  [0x43, (m) => m.pushNew(m.cursor.take(m.cursor.byte()))],
  [0x8e, (m) => m.pushNew(m.cursor.take(m.cursor.length64()))],
  [0x96, (m) => m.pushNew(m.cursor.take(m.cursor.length64()))],
  // MARK, POP, POP_MARK, DUP
  [0x28, (m) => m.mark()],
  [0x30, (m) => m.discard()],
  [0x31, (m) => m.popToMark()],
  [0x32, (m) => m.push(m.top())],
  // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
  [0x71, (m) => m.remember(m.cursor.byte())],
  [0x72, (m) => m.remember(m.cursor.uint32())],
  [0x94, (m) => m.remember()],
  [0x68, (m) => m.recall(m.cursor.byte())],
  [0x6a, (m) => m.recall(m.cursor.uint32())],
  // EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3, TUPLE
  [0x29, (m) => m.push(EMPTY_TUPLE)],
  [0x85, (m) => m.pushNew(takeLast(m, 1))],
  [0x86, (m) => m.pushNew(takeLast(m, 2))],
  [0x87, (m) => m.pushNew(takeLast(m, 3))],
  [0x74, (m) => m.pushNew(m.popToMark())],
  // EMPTY_LIST, APPEND, APPENDS, LIST
  [0x5d, (m) => m.pushNew(new PickleList())],
  [0x61, (m) => append(m, [m.pop()])],
  [0x65, (m) => append(m, m.popToMark())],
  [0x6c, (m) => replaceMarked(m, new PickleList(), append)],
  // EMPTY_DICT, SETITEM, SETITEMS, DICT
  [0x7d, (m) => m.pushNew(new Map())],
  [0x73, (m) => setItems(m, takeLast(m, 2))],
  [0x75, (m) => setItems(m, m.popToMark())],
  [0x64, (m) => replaceMarked(m, new Map(), setItems)],
  // EMPTY_SET, ADDITEMS, FROZENSET
  [0x8f, (m) => m.pushNew(new Set())],
  [0x90, (m) => addItems(m, m.popToMark())],
  [0x91, (m) => replaceMarked(m, new Set(), addItems)],
  // GLOBAL, STACK_GLOBAL
  [0x63, (m) => pushGlobal(m, m.cursor.line(LIMITS.globalName), m.cursor.line(LIMITS.globalName))],
  [0x93, pushGlobalFromStack],
  // REDUCE, NEWOBJ, NEWOBJ_EX, OBJ, BUILD, BINPERSID
  [0x52, (m) => call(m, m.pop())],
  [0x81, (m) => call(m, m.pop())],
  [0x92, callWithNames],
  [0x6f, callMarked],
  [0x62, build],
  [0x51, (m) => m.pushNew(m.host.findReference(m.pop()))],
]);

const EMPTY_TUPLE: readonly PickleValue[] = [];
const NEWEST_PROTOCOL = 5;

function listByCode(pairs: readonly (readonly [code: number, action: Action])[]): (Action | undefined)[] {
  const actions = new Array<Action | undefined>(256).fill(undefined);
  for (const [code, action] of pairs) actions[code] = action;
  return actions;
}

function checkProtocol(machine: PickleMachine): void {
  const protocol = machine.cursor.byte();
  if (protocol > NEWEST_PROTOCOL) {
    throw machine.fault(`is of protocol ${protocol}, newer than the ${NEWEST_PROTOCOL} that is known`);
  }
}

/** Two's complement of any length; a bigint where a number can not hold it. */
function pushInteger(machine: PickleMachine, length: number): void {
  if (length > LIMITS.integerBytes) {
    throw machine.fault(
      `has an integer of ${length} bytes, more than the ${LIMITS.integerBytes} that are read`,
    );
  }
  const bytes = machine.cursor.take(length).toReversed();
  if (bytes.length === 0) {
    machine.push(0);
    return;
  }
  const unsigned = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  const value = BigInt.asIntN(length * 8, unsigned);
  const number = Number(value);
  if (Number.isSafeInteger(number)) machine.push(number);
  else machine.pushNew(value);
}

function takeLast(machine: PickleMachine, count: number): PickleValue[] {
  const values = new Array<PickleValue>(count);
  for (let index = count - 1; index >= 0; index--) values[index] = machine.pop();
  return values;
}

/** What other objects hold stays unknown, so that nothing is done to them. */
function append(machine: PickleMachine, items: readonly PickleValue[]): void {
  const list = machine.top();
  if (list instanceof PickleList) for (const item of items) list.items.push(item);
}

function setItems(machine: PickleMachine, items: readonly PickleValue[]): void {
  const dict = machine.top();
  if (items.length % 2 !== 0) throw machine.fault('has a key without a value');
  if (!(dict instanceof Map)) return;
  for (let at = 0; at < items.length; at += 2) dict.set(items[at] ?? null, items[at + 1] ?? null);
}

function addItems(machine: PickleMachine, items: readonly PickleValue[]): void {
  const set = machine.top();
  if (set instanceof Set) for (const item of items) set.add(item);
}

function replaceMarked(
  machine: PickleMachine,
  container: PickleValue,
  fill: (machine: PickleMachine, items: readonly PickleValue[]) => void,
): void {
  const items = machine.popToMark();
  machine.pushNew(container);
  fill(machine, items);
}

function pushGlobal(machine: PickleMachine, module: string, name: string): void {
  machine.pushNew(machine.host.findGlobal(module, name));
}

function pushGlobalFromStack(machine: PickleMachine): void {
  const name = machine.pop();
  const module = machine.pop();
  if (typeof module !== 'string' || typeof name !== 'string') {
    throw machine.fault('names a global by something that is no string');
  }
  if (module.length > LIMITS.globalName || name.length > LIMITS.globalName) {
    throw machine.fault(`names a global by more than ${LIMITS.globalName} characters`);
  }
  pushGlobal(machine, module, name);
}

function call(machine: PickleMachine, args: PickleValue): void {
  machine.pushNew(machine.host.call(machine.pop(), args));
}

function callWithNames(machine: PickleMachine): void {
  machine.pop();
  call(machine, machine.pop());
}

function callMarked(machine: PickleMachine): void {
  const [callee, ...args] = machine.popToMark();
  if (callee === undefined) throw machine.fault('makes an object of no class');
  machine.pushNew(machine.host.call(callee, args));
}

/** The state of an object. That of an opaque one stays unknown, a dict has attributes that no tensor needs. */
function build(machine: PickleMachine): void {
  machine.pop();
  const object = machine.top();
  if (typeof object === 'object' && object !== null && 'kind' in object && object.kind === 'tensor') {
    throw machine.fault('changes a tensor after it was made');
  }
}
