/**
 * Measures what recording, start-up, replaying, reading, filtering and pruning cost, as ratios against a peer in the same run.
 * `npm run bench`, or a part of it: `npm run bench -- replay reading`.
 */

import { measureDedupe } from './jobs/dedupe.js';
import { measureFilter } from './jobs/filter.js';
import { measurePrune } from './jobs/prune.js';
import { measureReading } from './jobs/reading.js';
import { measureRecording } from './jobs/recording.js';
import { measureReplay } from './jobs/replay.js';
import { measureStartUp } from './jobs/start-up.js';

const JOBS = new Map([
  ['recording', measureRecording],
  ['dedupe', measureDedupe],
  ['start-up', measureStartUp],
  ['replay', measureReplay],
  ['reading', measureReading],
  ['filter', measureFilter],
  ['prune', measurePrune],
]);
const rows = [];

function row(what, peer, { a, b, ratio }, unit) {
  const text = `| ${what} | ${a.toFixed(1)} ${unit} | ${peer} | ${b.toFixed(1)} ${unit} | ${ratio.toFixed(2)} |`;
  rows.push(text);
  console.error(text);
}

const wanted = process.argv.slice(2);
for (const name of wanted.length > 0 ? wanted : JOBS.keys()) {
  const measure = JOBS.get(name);
  if (measure === undefined) throw new Error(`no job ${name}: ${[...JOBS.keys()].join(', ')}`);
  measure(row);
}

console.log('| what | median | against | median | ratio |\n| --- | --- | --- | --- | --- |');
console.log(rows.join('\n'));
