const LONGEST = 120;

/** A key in quotes for a message, cut where a hostile file made it long. */
export function quoteKey(key: string): string {
  return JSON.stringify(key.length > LONGEST ? `${key.slice(0, LONGEST)}…` : key);
}
