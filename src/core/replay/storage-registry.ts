/** Bytes of the widest element. */
export const ALIGNMENT = 16;

/** Rebuilt memory, and which part of the recorded storage it stands for. */
export interface RebuiltStorage {
  buffer: ArrayBufferLike;
  /** Offset in the recorded storage of the buffer's first byte. */
  base: number;
}

/**
 * Memory that live objects may still hold, by the recorded storage's id: objects that shared one workspace share it
 * on replay too. The memory itself is held by them alone.
 */
export class StorageRegistry {
  readonly #buffers = new Map<number | string, { buffer: WeakRef<ArrayBufferLike>; base: number }[]>();

  /** Live memory that covers `[low, high)` of a recorded storage. */
  find(id: number | string, low: number, high: number): RebuiltStorage | undefined {
    for (const { buffer: reference, base } of this.#buffers.get(id) ?? []) {
      const buffer = reference.deref();
      if (buffer !== undefined && base <= low && high <= base + buffer.byteLength) return { buffer, base };
    }
    return undefined;
  }

  /** Memory that does not lie as the widest elements need it can't stand for the recorded storage. */
  add(id: number | string, { buffer, base }: RebuiltStorage): void {
    if (base % ALIGNMENT !== 0) return;
    const live = (this.#buffers.get(id) ?? []).filter((known) => known.buffer.deref() !== undefined);
    live.push({ buffer: new WeakRef(buffer), base });
    this.#buffers.set(id, live);
  }
}
