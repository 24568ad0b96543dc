/** A queue that gives the entry with the lowest sequence first: a binary heap. */
export class OldestFirst<T extends { readonly sequence: number }> {
  readonly #heap: T[] = [];

  push(entry: T): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || parent.sequence <= entry.sequence) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  }

  peek(): T | undefined {
    return this.#heap[0];
  }

  pop(): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (let below = 1; below < heap.length; below = at * 2 + 1) {
      const left = heap[below];
      const right = heap[below + 1];
      const child =
        right !== undefined && left !== undefined && right.sequence < left.sequence ? right : left;
      if (child === undefined || child.sequence >= last.sequence) break;
      heap[at] = child;
      at = child === right ? below + 1 : below;
    }
    heap[at] = last;
    return first;
  }
}
