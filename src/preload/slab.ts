const SLAB_BYTES = 1 << 20;
const SMALL_BYTES = 1 << 16;

let slab = Buffer.alloc(0);
let used = 0;

/**
 * Uninitialised memory. Small pieces come out of one slab, since a thousand small array buffers cost the garbage
 * collector more than the calls that they hold; a slab goes when its last piece does.
 */
export function allocateFromSlab(bytes: number): Buffer {
  if (bytes > SMALL_BYTES) return Buffer.allocUnsafeSlow(bytes);
  if (used + bytes > slab.length) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    used = 0;
  }
  const piece = slab.subarray(used, used + bytes);
  used += bytes;
  return piece;
}
