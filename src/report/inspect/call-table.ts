import type { Paint } from '../../cli/colour.js';
import { formatBytes, formatDuration } from '../../cli/format.js';
import { printable } from '../../cli/printable.js';
import { type Column, Table } from '../../cli/table.js';
import type { InspectCall } from '../../core/inspect/index.js';
import type { Sink } from '../sink.js';
import { tensorExtras, tensorLine, tensorsCell } from './tensor-text.js';
import type { TextOptions } from './text.js';

/** Widths are taken from this many calls; a long session's table still begins at once. */
const ROWS_TO_FIT = 500;
const STATUS = 2;

const COLUMNS: readonly Column[] = [
  { title: '#', align: 'right' },
  { title: 'FUNCTION', shrinks: true },
  { title: 'STATUS' },
  { title: 'INPUTS', shrinks: true },
  { title: 'OUTPUTS', shrinks: true },
  { title: 'SIZE', align: 'right' },
  { title: 'TIME', align: 'right' },
];

/** Statuses as people say them. */
const STATUS_TEXT: Readonly<Record<InspectCall['status'], string>> = {
  inputs_saved: 'unfinished',
  completed: 'completed',
  failed: 'failed',
  graph_capture_pending_flush: 'in graph',
  no_record: 'no record',
};

/** One line a call, written as they come. */
export class CallTable {
  readonly #sink: Sink;
  readonly #options: TextOptions;
  #waiting: InspectCall[] = [];
  #table: Table | undefined;

  constructor(sink: Sink, options: TextOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  async add(call: InspectCall): Promise<void> {
    this.#waiting.push(call);
    if (this.#table !== undefined || this.#waiting.length >= ROWS_TO_FIT) await this.#writeWaiting();
  }

  async end(): Promise<void> {
    if (this.#waiting.length > 0) await this.#writeWaiting();
  }

  async #writeWaiting(): Promise<void> {
    const { paint, columns } = this.#options;
    const rows = this.#waiting.map(cellsOf);
    if (this.#table === undefined) {
      this.#table = new Table(COLUMNS, rows, columns);
      await this.#sink.write(`${paint.faint(this.#table.header())}\n`);
    }
    for (const [index, call] of this.#waiting.entries()) {
      const line = this.#table.row(rows[index] ?? [], (cell, column) =>
        column === STATUS ? paintStatus(call, cell, paint) : cell,
      );
      await this.#sink.write(`${line}\n`);
      if (this.#options.tensors) await this.#writeTensors(call);
    }
    this.#waiting = [];
  }

  async #writeTensors(call: InspectCall): Promise<void> {
    const { paint } = this.#options;
    for (const [group, tensors] of Object.entries({
      in: call.inputs,
      out: call.outputs,
      mut: call.mutated,
    })) {
      for (const tensor of tensors) {
        await this.#sink.write(`    ${group.padEnd(3)} ${tensorLine(tensor)}\n`);
        for (const extra of tensorExtras(tensor)) await this.#sink.write(`        ${paint.faint(extra)}\n`);
      }
    }
  }
}

function cellsOf(call: InspectCall): string[] {
  const tensors = [...call.inputs, ...call.outputs, ...call.mutated];
  const mutated =
    call.mutated.length > 0 ? [`${call.mutated.map(({ key }) => printable(key)).join(', ')} changed`] : [];
  return [
    String(call.call),
    printable(call.function),
    STATUS_TEXT[call.status],
    tensorsCell(call.inputs),
    [...(call.outputs.length > 0 ? [tensorsCell(call.outputs)] : []), ...mutated].join('; '),
    formatBytes(tensors.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0)),
    call.durationUs === null ? '' : formatDuration(call.durationUs),
  ];
}

function paintStatus(call: InspectCall, cell: string, paint: Paint): string {
  if (call.status === 'completed') return paint.good(cell);
  return call.status === 'failed' ? paint.bad(cell) : paint.warn(cell);
}
