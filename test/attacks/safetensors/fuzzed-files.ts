import fc from 'fast-check';
import { encodeSafetensorsHeader } from '../../../src/core/safetensors/index.js';
import { anyTensors } from '../../core/safetensors/random-tensors.js';

/** Files near to valid ones: a valid one with a few bytes of its header, or a number in it, changed, or cut or extended. */
export const fuzzedFile: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    anyTensors,
    fc.array(fc.tuple(fc.nat(), fc.constantFrom(...'{}[]",:0123456789 -e.ux\\\n\0\xff')), { maxLength: 2 }),
    fc.constantFrom(0, 0, 0, 0, 0, 0, 1, -1, 3),
    fc.array(fc.tuple(fc.nat(), fc.constantFrom('0', '1', '4', '8', '9007199254740993', '-1', '1.5')), {
      maxLength: 1,
    }),
  )
  .map(([tensors, changes, growth, numbers]) => {
    const { header, ordered } = encodeSafetensorsHeader(tensors);
    let text = Buffer.from(header).subarray(8).toString('latin1').trimEnd();
    for (const [place, number] of numbers) text = replaceNumber(text, place, number);
    for (const [place, character] of changes) {
      const at = place % text.length;
      text = text.slice(0, at) + character + text.slice(at + 1);
    }
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    const data = Buffer.concat(ordered.map((tensor) => tensor.data as Uint8Array));
    const file = Buffer.concat([
      length,
      Buffer.from(text, 'latin1'),
      data,
      Buffer.alloc(Math.max(growth, 0)),
    ]);
    return new Uint8Array(file.subarray(0, file.length + Math.min(growth, 0)));
  });

function replaceNumber(text: string, place: number, by: string): string {
  const numbers = [...text.matchAll(/(?<=[[,])\d+(?=[\],])/g)];
  const found = numbers[place % Math.max(numbers.length, 1)];
  if (found === undefined) return text;
  return text.slice(0, found.index) + by + text.slice(found.index + found[0].length);
}
