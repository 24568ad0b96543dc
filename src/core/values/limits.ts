/** Containers inside one another that an argument may have. */
export const MAX_DEPTH = 512;

/** Values that the arguments of one call may hold, counting scalars and the holes of arrays. */
export const MAX_NODES = 1_000_000;

/** UTF-16 units of one string. */
export const MAX_STRING_LENGTH = 16 * 1024 * 1024;

/** UTF-16 units of the strings and keys of one call, so that its record stays below the longest string of Node. */
export const MAX_TEXT_LENGTH = 64 * 1024 * 1024;

/** Reasons that are listed one by one. */
export const MAX_PROBLEMS = 32;

/** Milliseconds from 1970 that a Date reaches. */
export const MAX_DATE_MS = 8.64e15;
