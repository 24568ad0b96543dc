const OBJECT = /^<(?:([\w.<>]+)\.)?(\w+) object at 0x([0-9a-fA-F]{1,16})>$/;

/** An object as Python prints those that don't say more: its class, and the address that is its `id()`. */
export interface ReprObject {
  /** Its module, and the classes and functions that it stands in. */
  qualifier: string | undefined;
  className: string;
  /** As JSON would hold it: bigint past 2^53. */
  selfId: number | bigint;
}

/** What `<flashinfer.decode.BatchDecodeWrapper object at 0x7f3a5819f950>` says; undefined for another text. */
export function objectFromRepr(repr: string): ReprObject | undefined {
  const [, qualifier, className, address] = OBJECT.exec(repr) ?? [];
  if (className === undefined || address === undefined) return undefined;
  const id = BigInt(`0x${address}`);
  const selfId = id <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(id) : id;
  return { qualifier, className, selfId };
}
