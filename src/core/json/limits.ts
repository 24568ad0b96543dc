/** Containers inside one another that are read or written; far more than the value encoder makes. */
export const MAX_JSON_DEPTH = 2000;

/** Digits of one integer. Reading takes more than linear time in them, and Python refuses to write over 4300. */
export const MAX_INTEGER_DIGITS = 100_000;
