import { types } from 'node:util';
import { dtypeOf } from '../dtype/index.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { TensorSource } from '../model/tensor.js';
import { builtinNameOf, classNameOf, reachesProxy } from './builtins.js';
import { ContainerEncoder } from './container-encoder.js';
import type { EncodeContext } from './context.js';
import { describeHostTensor, isSubclassInstance } from './describe-host-tensor.js';
import { describeOpaque, opaque } from './describe-opaque.js';
import { encodeLeaf, unbox } from './encode-leaf.js';
import { encodePrimitive } from './encode-primitive.js';
import { EncodeState } from './encode-state.js';
import { MAX_DEPTH, MAX_STRING_LENGTH } from './limits.js';

/** About what a tensor's node takes as JSON, beside its key. */
const TENSOR_NODE_LENGTH = 192;

/**
 * Encodes the arguments (or results) of one call as JSON, by key. An object that is met again becomes a `js.ref` to
 * its first place, so cycles and sharing are kept; tensors are collected in `tensors` under their keys. Runs no code
 * of the values, never throws (short of an exhausted stack), and stops at bounds; what is not kept is said in
 * `problems`.
 */
export class ValueEncoder {
  /** Tensors met, by their keys: `arg_0`, `arg_2__0`, `arg_1__value_3`. */
  readonly tensors: Map<string, TensorSource> = new Map();
  readonly #context: EncodeContext;
  readonly #state = new EncodeState();
  readonly #containers = new ContainerEncoder(this.#state, (value, key, depth) =>
    this.#encodeObject(value, key, depth),
  );
  /** Key of the first place of every object but tensors; made when first needed. */
  #places: Map<object, string> | undefined;

  constructor(context: EncodeContext = {}) {
    this.#context = context;
  }

  /** Why the call can't be replayed, each naming a place: `arg_1.onProgress is a function`. */
  get problems(): string[] {
    return this.#state.problems;
  }

  /** Whether something was cut at a bound. */
  get truncated(): boolean {
    return this.#state.truncated;
  }

  encode(value: unknown, key: string): JsonValue {
    this.#state.root = key;
    try {
      const isPrimitive = (typeof value !== 'object' && typeof value !== 'function') || value === null;
      return isPrimitive ? encodePrimitive(this.#state, value, 0) : this.#encodeObject(value, key, 0);
    } catch (error) {
      return this.#state.refuse(opaque('unknown', '[unreadable]', `not readable${because(error)}`), 0);
    }
  }

  #encodeObject(value: object, key: string, depth: number): JsonValue {
    if (ArrayBuffer.isView(value)) return this.#encodeMemory(value, key, depth);
    const place = this.#places?.get(value);
    if (place !== undefined) {
      this.#state.spend(place.length);
      return { type: 'js.ref', key: place };
    }
    const recorded = this.#context.objectRef?.(value);
    if (recorded !== undefined) {
      this.#state.spend(recorded.class.length);
      return { type: 'js.object_ref', self_id: recorded.self_id, class: recorded.class };
    }
    if (typeof value === 'function' || types.isProxy(value)) return this.#refuse(value, depth);
    const prototype: object | null = Object.getPrototypeOf(value);
    const className = prototype === null ? 'Object' : builtinNameOf(prototype);
    if (className === undefined && reachesProxy(value)) return this.#refuse(value, depth);
    const source = this.#describeTensor(value, depth);
    if (source !== undefined) return this.#encodeTensor(source, key);
    if (types.isAnyArrayBuffer(value)) return this.#encodeMemory(value, key, depth);
    if (className === undefined && !types.isNativeError(value))
      return this.#encodeInstance(value, key, depth);
    return this.#encodeBuiltin(value, className, key, depth);
  }

  #describeTensor(value: object, depth: number): TensorSource | undefined {
    try {
      return this.#context.describeTensor?.(value);
    } catch (error) {
      this.#state.report(`a tensor that could not be described${because(error)}`, depth);
      return undefined;
    }
  }

  #encodeMemory(value: ArrayBufferView | ArrayBufferLike, key: string, depth: number): JsonValue {
    const source = describeHostTensor(value);
    if (source === undefined) {
      const className = classNameOf(value);
      return this.#state.refuse(opaque(className, '[detached]', `a detached ${className}`), depth);
    }
    if (isSubclassInstance(value)) this.#state.report(describeOpaque(value).phrase, depth);
    return this.#encodeTensor(source, key);
  }

  #encodeTensor(source: TensorSource, key: string): JsonObject {
    this.#state.spend(TENSOR_NODE_LENGTH + 2 * key.length);
    this.tensors.set(key, source);
    return {
      type: 'torch.Tensor',
      shape: source.shape.slice(),
      dtype: dtypeOf(source.dtype).torchName,
      stride: source.stride.slice(),
      device: source.device,
      requires_grad: false,
      is_contiguous: source.contiguous,
      tensor_key: key,
    };
  }

  /** An object of the program's own class, or of one that is no plain data; our own Tensor is the exception. */
  #encodeInstance(value: object, key: string, depth: number): JsonValue {
    const source = describeHostTensor(value);
    return source === undefined ? this.#refuse(value, depth) : this.#encodeTensor(source, key);
  }

  #encodeBuiltin(value: object, className: string | undefined, key: string, depth: number): JsonValue {
    const type = className === 'Array' ? 'list' : 'dict';
    if (depth >= MAX_DEPTH) return this.#state.cut(type, 0, `nested more than ${MAX_DEPTH} deep`, depth);
    this.#places ??= new Map();
    this.#places.set(value, key);
    this.#state.spend(key.length);
    if (Array.isArray(value)) {
      return className === 'Array' ? this.#containers.list(value, key, depth) : this.#refuse(value, depth);
    }
    if (types.isNativeError(value)) return this.#encodeError(value, className, key, depth);
    switch (className) {
      case 'Object':
        return this.#encodePlain(value, key, depth);
      case 'Map':
        return types.isMap(value) ? this.#containers.map(value, key, depth) : this.#refuse(value, depth);
      case 'Set':
        return types.isSet(value) ? this.#containers.set(value, key, depth) : this.#refuse(value, depth);
      default:
        return this.#encodeOther(value, className ?? '', key, depth);
    }
  }

  #encodePlain(value: object, key: string, depth: number): JsonValue {
    if (types.isArgumentsObject(value)) return this.#refuse(value, depth);
    const node = this.#containers.dict(value, key, depth);
    if (Object.getPrototypeOf(value) === null) node['js'] = 'null_prototype';
    return node;
  }

  #encodeError(value: object, className: string | undefined, key: string, depth: number): JsonValue {
    if (className === undefined) this.#state.report(describeOpaque(value).phrase, depth);
    return this.#containers.error(value, className ?? classNameOf(value), key, depth);
  }

  #encodeOther(value: object, className: string, key: string, depth: number): JsonValue {
    let leaf: JsonObject | undefined;
    let boxed: { primitive: unknown } | undefined;
    try {
      leaf = encodeLeaf(value, className);
      boxed = unbox(value, className);
    } catch {
      return this.#refuse(value, depth);
    }
    if (leaf !== undefined) {
      for (const part of Object.values(leaf)) if (typeof part === 'string') this.#state.spend(part.length);
      return this.#containers.withOwnProperties(leaf, value, 0, key, depth);
    }
    if (boxed === undefined) return this.#refuse(value, depth);
    const { primitive } = boxed;
    const node = { type: 'js.boxed', value: encodePrimitive(this.#state, primitive, depth) };
    const skip = typeof primitive === 'string' ? primitive.length : 0;
    if (skip > MAX_STRING_LENGTH) return node;
    return this.#containers.withOwnProperties(node, value, skip, key, depth);
  }

  #refuse(value: object, depth: number): JsonObject {
    this.#state.spend(0);
    return this.#state.refuse(describeOpaque(value), depth);
  }
}

/** What a hook of ours threw; never a value of the program, whose conversion to text could run its code. */
function because(error: unknown): string {
  return error instanceof Error ? `: ${error.message}` : '';
}
