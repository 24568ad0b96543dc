import { TorchFault } from './fault.js';
import { LIMITS } from './limits.js';
import { PickleMachine, tooMany } from './pickle-machine.js';
import { OPCODES } from './pickle-opcodes.js';
import type { PickleHost, PickleValue } from './pickle-values.js';

const STOP = 0x2e;
const PROTOCOL = 0x80;

/**
 * The value that a pickle of protocol 2 to 5 describes. Nothing is imported or called: what a global, a call or a
 * persistent id stands for is the host's to say. Throws a fault for what is damaged, unknown or past a bound.
 */
export function readPickle(bytes: Uint8Array, host: PickleHost): PickleValue {
  const machine = new PickleMachine(bytes, host);
  if (bytes[0] !== PROTOCOL)
    throw new TorchFault('the pickle is damaged: it does not begin with its protocol');
  for (let count = 0; count < LIMITS.opcodes; count++) {
    const code = machine.cursor.byte();
    if (code === STOP) return machine.pop();
    const action = OPCODES[code];
    if (action === undefined)
      throw machine.fault(`has opcode 0x${code.toString(16)}, which torch never writes`);
    action(machine);
  }
  throw tooMany('steps', LIMITS.opcodes);
}
