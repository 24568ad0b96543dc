import type { CallEntry, Session } from '../session/index.js';

const LOOKED = 1;
const OBJECTS = 2;
const CHANGES = 4;

/**
 * Which records may name objects in arguments or results, or memory that their calls changed, as a look at their texts
 * tells without parsing them: most calls of a large session need no closer one. Processes are looked through when the
 * first of their calls is asked for.
 */
export class ObjectMentions {
  readonly #session: Session;
  readonly #marks: Uint8Array;

  constructor(session: Session) {
    this.#session = session;
    this.#marks = new Uint8Array(session.calls.length + 1);
  }

  ofObjects(call: CallEntry): boolean {
    return (this.#marksOf(call) & OBJECTS) !== 0;
  }

  ofChanges(call: CallEntry): boolean {
    return (this.#marksOf(call) & CHANGES) !== 0;
  }

  #marksOf(call: CallEntry): number {
    if (this.#marks[call.number] === 0) this.#look(call.processUid);
    return this.#marks[call.number] ?? 0;
  }

  #look(processUid: string): void {
    const own = this.#session.calls.filter((call) => call.processUid === processUid);
    // What no index tells is read.
    for (const { number } of own) this.#marks[number] = LOOKED | OBJECTS | CHANGES;
    this.#session.visitRecordBytes(own, (call, bytes) => {
      this.#marks[call.number] =
        LOOKED | (mentionsObjects(call, bytes) ? OBJECTS : 0) | (mentionsChanges(bytes) ? CHANGES : 0);
    });
  }
}

const OBJECT_REF = Buffer.from('"js.object_ref"');
const OBJECT_REPR = Buffer.from(' object at 0x');

/** Its own object a method has as its first argument: that one counts only where another is mentioned, too. */
function mentionsObjects({ recorder, kind, selfId }: CallEntry, bytes: Buffer): boolean {
  if (recorder === 'fir') return bytes.includes(OBJECT_REF);
  const first = bytes.indexOf(OBJECT_REPR);
  if (first < 0 || kind === 'function' || selfId === undefined) return first >= 0;
  // A class that shows itself in its own way is not mentioned at all.
  const own = `${selfId.toString(16)}>`;
  const begin = first + OBJECT_REPR.length;
  const isOwn = bytes.toString('latin1', begin, begin + own.length).toLowerCase() === own;
  return !isOwn || bytes.includes(OBJECT_REPR, begin);
}

const NO_KEYS = Buffer.from('"mutated_tensor_keys":[]');
const PENDING = Buffer.from('"mutated_pending_keys"');

function mentionsChanges(bytes: Buffer): boolean {
  return !bytes.includes(NO_KEYS) || bytes.includes(PENDING);
}
