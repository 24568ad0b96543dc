import { isAnyArrayBuffer } from 'node:util/types';
import { FirError } from '../errors.js';
import type { PreparedCall } from '../executors/index.js';
import type { Dump } from '../session/index.js';
import { ValueEncoder } from '../values/index.js';
import { describeTensor } from './hosts.js';
import { byteOffsetOf } from './input-tensor.js';
import { ObjectTable } from './object-table.js';
import type { NamedObject } from './protocol.js';
import { recordedResult } from './recorded-values.js';
import { encodeResult } from './result-tensors.js';
import { findReturnedObjects } from './returned-objects.js';
import { StorageRegistry } from './storage-registry.js';

/** What lives from call to call in a worker: objects, and the memory that they may hold. */
export class LiveState {
  readonly objects = new ObjectTable();
  readonly storages = new StorageRegistry();

  /** FirError NOT_REPLAYABLE where the call that makes the object gave none. */
  find(name: NamedObject): object {
    const object = this.objects.find(name.key);
    if (object !== undefined) return object;
    const { className, selfId } = name;
    throw new FirError(
      'NOT_REPLAYABLE',
      `the call that makes ${className} ${selfId} gave no such object here`,
    );
  }

  /** An object that an argument refers to, by the name that the record has for it. */
  objectOf(uses: readonly NamedObject[], selfId: string, className: string): object {
    const name = uses.find((used) => used.selfId === selfId && used.className === className);
    if (name !== undefined) return this.find(name);
    throw new FirError('NOT_REPLAYABLE', `the ${className} ${selfId} of an argument is not known`);
  }

  /** Gives the objects that a call made their names: the result itself, or those that stand in it. */
  bindMade(makes: readonly NamedObject[], dump: Dump, prepared: PreparedCall, value: unknown): void {
    if (makes.length === 0) return;
    const { fir, self_id: ownId } = dump.record;
    const returned = findReturnedObjects(recordedResult(dump), value);
    const isMaker = fir === undefined || fir.constructs === true || fir.kind === 'constructor';
    const dispose = prepared.dispose === undefined ? undefined : (made: object) => prepared.dispose?.(made);
    for (const name of makes) {
      const { selfId, className } = name;
      const found = returned.find((one) => one.selfId === selfId && one.className === className);
      const isResult = isMaker && String(ownId) === selfId && typeof value === 'object' && value !== null;
      const object = found?.object ?? (isResult ? value : undefined);
      if (object !== undefined) this.objects.bind(name, object, dispose);
    }
  }

  /** An object may give out memory of its own: where the program passed that on, the replay passes on the same. */
  keepReturnedMemory(dump: Dump, value: unknown): void {
    const { tensors } = encodeResult(dump, value, new ValueEncoder({ describeTensor }));
    for (const [key, { storage: buffer, byteOffset, strings }] of tensors) {
      const { storage, dtype, offset } = dump.tensor('outputs', key);
      if (storage === undefined || strings !== undefined || !isAnyArrayBuffer(buffer)) continue;
      this.storages.add(storage, { buffer, base: byteOffsetOf(dtype, offset) - byteOffset });
    }
  }
}
