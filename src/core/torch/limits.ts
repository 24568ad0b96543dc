/**
 * What a .pt file may claim. An honest file with a hundred thousand tensors stays below each; memory and time for a
 * dishonest one stay within some hundred megabytes and about a second.
 */
export const LIMITS = {
  /** Records of the archive. */
  records: 2 ** 17,
  /** Bytes of the directory, which lists them. */
  directoryBytes: 2 ** 26,
  /** Decoded size of the pickle. */
  pickleBytes: 2 ** 25,
  /** Decoded size of a storage that is compressed; a stored one may be as long as the file. */
  inflatedBytes: 2 ** 29,
  opcodes: 2 ** 23,
  /** Containers, calls and large numbers that the pickle makes. */
  objects: 2 ** 20,
  memo: 2 ** 21,
  /** Containers within containers. */
  nesting: 256,
  /** Bytes of one integer. */
  integerBytes: 1024,
  /** Characters of the module or the name of a global. */
  globalName: 1024,
  /** Names of foreign globals that are kept. */
  foreignGlobals: 1000,
  /** Dimensions of a tensor. */
  dimensions: 64,
  /** Values that are shown by name. */
  entries: 2 ** 18,
  /** Characters of the name of one value, and of all of them. */
  entryName: 4096,
  entryNames: 2 ** 26,
} as const;
