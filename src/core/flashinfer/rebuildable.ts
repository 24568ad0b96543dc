import { objectFromRepr } from './object-repr.js';
import { isPythonLiteral } from './python-literal.js';

/** The recorder keeps so many characters of a text. */
const CUT_LENGTH = 1000;

const INTEGER = /^-?\d+$/;
const FLOAT = /^-?(?:\d+\.?\d*(?:e[+-]?\d+)?|inf|nan)$/;
const PART = String.raw`(?:\d+\.?\d*(?:e[+-]?\d+)?|inf|nan)`;
const COMPLEX = new RegExp(`^\\(?-?${PART}(?:[+-]${PART})?j\\)?$`);
const WHOLE = String.raw`-?\d+`;
const RANGE = new RegExp(`^range\\(${WHOLE}, ${WHOLE}(?:, ${WHOLE})?\\)$`);
const SIZE = new RegExp(`^torch\\.Size\\(\\[(?:${WHOLE}(?:, ${WHOLE})*)?\\]\\)$`);
const SLICE = /^slice\((.*)\)$/s;
const BYTEARRAY = /^bytearray\((b['"].*)\)$/s;

/** By the name of the class: whether its text holds all of the value. */
const GRAMMARS: ReadonlyMap<string, (repr: string) => boolean> = new Map([
  ['device', (repr) => /^[a-z]+(?::\d{1,9})?$/.test(repr)],
  ['Size', (repr) => SIZE.test(repr)],
  ['dtype', (repr) => /^torch\.\w+$/.test(repr)],
  ['layout', (repr) => /^torch\.\w+$/.test(repr)],
  ['memory_format', (repr) => /^torch\.\w+$/.test(repr)],
  ['ellipsis', (repr) => repr === 'Ellipsis'],
  ['complex', (repr) => COMPLEX.test(repr)],
  ['bytes', (repr) => /^b['"]/.test(repr) && isPythonLiteral(repr)],
  ['bytearray', (repr) => isPythonLiteral(BYTEARRAY.exec(repr)?.[1] ?? '')],
  ['range', (repr) => RANGE.test(repr)],
  ['slice', (repr) => isPythonLiteral(`(${SLICE.exec(repr)?.[1] ?? '?'})`)],
  ...['set', 'frozenset', 'list', 'tuple', 'dict'].map(
    (name) => [name, isPythonLiteral] as [string, (repr: string) => boolean],
  ),
  ...['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'longlong', 'ulonglong'].map(
    (name): [string, (repr: string) => boolean] => [name, (repr) => INTEGER.test(repr)],
  ),
  ...['float16', 'float32', 'float64'].map((name): [string, (repr: string) => boolean] => [
    name,
    (repr) => FLOAT.test(repr),
  ]),
  ...['bool_', 'bool'].map((name): [string, (repr: string) => boolean] => [
    name,
    (repr) => repr === 'True' || repr === 'False',
  ]),
]);

/**
 * Why a value that a Python recorder wrote as its class's name and its text can't be made again; undefined where it
 * can. Of an object the text names class and address, which says nothing against it: whether the session constructs
 * that object is the caller's to know.
 */
export function whyNotRebuildable(type: string, repr: string): string | undefined {
  const object = objectFromRepr(repr);
  if (object !== undefined) {
    // What torch makes in C++ has no constructor that a recorder sees.
    return isTorch(object.qualifier) ? `a ${type} is only described, not recorded` : undefined;
  }
  if (repr.length >= CUT_LENGTH && [...repr].length >= CUT_LENGTH) {
    return `a ${type} was cut short by the recorder`;
  }
  return GRAMMARS.get(type)?.(repr) === true ? undefined : `a ${type} is only described, not recorded`;
}

function isTorch(qualifier: string | undefined): boolean {
  return qualifier === 'torch' || qualifier?.startsWith('torch.') === true;
}
