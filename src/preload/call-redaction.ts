import type { FirFields, Resolution } from '../core/model/call.js';
import type { ProcessHeader } from '../core/model/session.js';
import type { LayoutStatistics, TensorSource } from '../core/model/tensor.js';
import {
  layoutStatistics,
  Redactor,
  redactError,
  redactHeader,
  redactResolution,
  ruleFor,
  scrubReason,
  scrubSignature,
  stringStatistics,
  ValueRedaction,
} from '../core/redact/index.js';
import { relativePath } from '../core/redact/relative-path.js';
import { elementCount } from '../core/tensor/index.js';
import { stillBytes } from '../core/tensor-files/tensor-data.js';
import type { RecordEnd, RecordStart } from './record-text.js';
import type { RecordedFunction } from './recorded-function.js';
import { ownElements } from './snapshot.js';

/** Takes the content out of what a thread records, before anything of it is written. */
export class CallRedaction {
  readonly #redactor: Redactor;
  /** Where the program was when it began to record. */
  readonly #cwd: string;

  constructor(key: string | undefined, cwd: string) {
    this.#redactor = new Redactor(key);
    this.#cwd = cwd;
  }

  start(fn: RecordedFunction, start: RecordStart): RecordStart {
    const values = this.values(fn);
    const { not_replayable: reasons, ...fir } = start.fir;
    return {
      ...start,
      module: relativePath(start.module, undefined),
      inputMetadata: values.redactAll(start.inputMetadata),
      signature: scrubSignature(start.signature),
      fir: {
        ...fir,
        ...(reasons === undefined
          ? {}
          : { not_replayable: reasons.map((reason) => scrubReason(reason, values.mapKeys)) }),
        redacted: true,
      },
    };
  }

  end(fn: RecordedFunction, end: RecordEnd): RecordEnd {
    const values = this.values(fn);
    const { mutated_arguments: changed } = end.fir;
    const { error } = end;
    return {
      ...end,
      outputMetadata: values.redactAll(end.outputMetadata),
      fir: {
        ...end.fir,
        ...(changed === undefined ? {} : { mutated_arguments: values.redactAll(changed) }),
      },
      ...(error === undefined ? {} : { error: redactError({ ...error }, values, this.#redactor) }),
    };
  }

  /** What is told of a tensor whose values are left out. */
  statisticsOf(source: TensorSource): LayoutStatistics {
    const { dtype, shape, stride, strings } = source;
    if (strings !== undefined) return stringStatistics(strings);
    // An expanded tensor may have far more elements than memory.
    const own = elementCount(shape.map((size, dim) => (stride[dim] === 0 ? Math.min(size, 1) : size)));
    const bytes = ownElements(source, stillBytes(source));
    return layoutStatistics(dtype, own, () => [bytes], own === 0 ? 1 : elementCount(shape) / own);
  }

  resolution(resolution: Resolution | undefined): FirFields['resolve'] {
    return resolution === undefined ? undefined : redactResolution(resolution, this.#cwd);
  }

  header(header: ProcessHeader): ProcessHeader {
    return redactHeader(header);
  }

  /** What takes the content out of the values of one call. */
  values(fn: Pick<RecordedFunction, 'name' | 'resolve'> | undefined): ValueRedaction {
    const call = { functionName: fn?.name ?? '', resolution: fn?.resolve.current, cwd: this.#cwd };
    return new ValueRedaction(ruleFor(call, this.#redactor));
  }
}
