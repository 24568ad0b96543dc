import { readdirSync } from 'node:fs';

/** Names in a directory; none where there is no such directory or it may not be read. */
export function listOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
