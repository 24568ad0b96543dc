export { completeOldRecord, isFlushedWithoutOutputs, OLD_METADATA } from './eras.js';
export { objectFromRepr } from './object-repr.js';
export { isOptionWord } from './option-words.js';
export { whyNotRebuildable } from './rebuildable.js';
export { flushNumber, GRAPH_FLUSHES, snapshotDump, snapshotOf } from './snapshots.js';
export { containerText, restoreContainers } from './text-containers.js';
