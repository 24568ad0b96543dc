const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether no half of a surrogate pair stands alone in a text: UTF-8 can not hold one. */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}
