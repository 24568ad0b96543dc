import type { CallTable } from './call-table.js';

/**
 * Counts the objects that had the same identity one after the other: an id is used again once its object is gone.
 * fir's ids are unique in a process; FlashInfer's are addresses, which objects of other classes may get, too.
 */
export function countGenerations(table: CallTable, order: Uint32Array): void {
  const generations = new Map<string, number>();
  for (const row of order) {
    const selfId = table.selfIdOf(row);
    if (selfId === undefined) continue;
    const className = table.isFir[row] === 1 ? '' : classOf(table.strings.at(table.functionId[row] ?? 0));
    const object = `${table.processId[row]} ${selfId} ${className}`;
    let generation = generations.get(object) ?? 0;
    if (table.constructs[row] === 1) generations.set(object, ++generation);
    table.generation[row] = generation;
  }
}

function classOf(functionName: string): string {
  return functionName.slice(0, Math.max(0, functionName.lastIndexOf('.')));
}
