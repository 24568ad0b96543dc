import { objectFromRepr } from './object-repr.js';
import { type LiteralType, readLiteral } from './python-literal.js';

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
const FROZENSET = /^frozenset\((\{.*\})\)$/s;
const BYTEARRAY = /^bytearray\((b['"].*)\)$/s;
const CONTAINERS: ReadonlySet<string> = new Set(['list', 'tuple', 'dict']);
const TENSOR = /\btensor\(/;

type Grammar = (repr: string) => boolean;

const LITERALS: readonly LiteralType[] = ['bytes', 'list', 'tuple', 'dict', 'set'];

/** By the name of the class: whether its text holds all of the value. */
const GRAMMARS: ReadonlyMap<string, Grammar> = new Map([
  ...each('device', (repr) => /^[a-z]+(?::\d{1,9})?$/.test(repr)),
  ...each('Size', (repr) => SIZE.test(repr)),
  ...each('dtype layout memory_format', (repr) => /^torch\.\w+$/.test(repr)),
  ...each('ellipsis', (repr) => repr === 'Ellipsis'),
  ...each('bytearray', (repr) => isLiteral('bytes', BYTEARRAY.exec(repr)?.[1])),
  ...each('range', (repr) => RANGE.test(repr)),
  ...each('slice', (repr) => isLiteral('tuple', `(${SLICE.exec(repr)?.[1] ?? '?'})`)),
  ...LITERALS.map((type): [string, Grammar] => [type, (repr) => isLiteral(type, repr)]),
  ...each('frozenset', (repr) => repr === 'frozenset()' || isLiteral('set', FROZENSET.exec(repr)?.[1])),
  ...each('complex complex64 complex128', (repr) => COMPLEX.test(repr)),
  ...each('float16 float32 float64 longdouble', (repr) => FLOAT.test(repr)),
  ...each('int8 int16 int32 int64 longlong uint8 uint16 uint32 uint64 ulonglong', (repr) =>
    INTEGER.test(repr),
  ),
  ...each('bool_ bool', (repr) => repr === 'True' || repr === 'False'),
]);

function each(names: string, grammar: Grammar): [string, Grammar][] {
  return names.split(' ').map((name) => [name, grammar]);
}

/**
 * Why a value that a Python recorder wrote as its class's name and its text can't be made again; undefined where it
 * can. Of an object the text names class and address, which says nothing against it: whether the session constructs
 * that object is the caller's to know.
 */
export function whyNotRebuildable(type: string, text: string): string | undefined {
  const object = objectFromRepr(text);
  if (object !== undefined) {
    // What torch makes in C++ has no constructor that a recorder sees.
    return isTorch(object.qualifier) ? `a ${type} is only described, not recorded` : undefined;
  }
  const isCut = isAsLongAsKept(text);
  if (!isCut && GRAMMARS.get(type)?.(text) === true) return undefined;
  if (CONTAINERS.has(type) && TENSOR.test(text)) {
    return `a ${type} of tensors is only described, not recorded`;
  }
  return isCut ? `a ${type} was cut short by the recorder` : `a ${type} is only described, not recorded`;
}

function isLiteral(type: LiteralType, text: string | undefined): boolean {
  return text !== undefined && readLiteral(text)?.type === type;
}

/** The recorder counts code points. */
function isAsLongAsKept(text: string): boolean {
  return text.length >= 2 * CUT_LENGTH || (text.length >= CUT_LENGTH && [...text].length >= CUT_LENGTH);
}

function isTorch(qualifier: string | undefined): boolean {
  return qualifier === 'torch' || qualifier?.startsWith('torch.') === true;
}
