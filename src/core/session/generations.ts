import type { CallTable } from './call-table.js';

/**
 * Counts the objects that had the same identity one after the other: an id is used again once its object is gone.
 * fir's ids are unique in a process; FlashInfer's are addresses, which objects of other classes may get, too. The
 * constructor of a base class that a subclass's one calls makes no object of its own.
 */
export function countGenerations(table: CallTable, order: Uint32Array): void {
  const generations = new Map<string, number>();
  const constructing = new Map<string, string>();
  for (const row of order) {
    const selfId = table.selfIdOf(row);
    if (selfId === undefined) continue;
    const process = table.processId[row] ?? 0;
    const object = `${process} ${selfId} ${table.isFir[row] === 1 ? '' : classOf(table, row)}`;
    let generation = generations.get(object) ?? 0;
    if (table.constructs[row] === 1) {
      const parent = table.parentOf(row);
      const isInner = parent !== undefined && constructing.get(`${process} ${parent}`) === object;
      if (!isInner) generations.set(object, ++generation);
      constructing.set(`${process} ${table.sequence[row]}`, object);
    }
    table.generation[row] = generation;
  }
}

function classOf(table: CallTable, row: number): string {
  const known = table.strings.at(table.selfClassId[row] ?? 0);
  if (known !== '') return known;
  const functionName = table.strings.at(table.functionId[row] ?? 0);
  return functionName.slice(0, Math.max(0, functionName.lastIndexOf('.')));
}
