import { createRequire } from 'node:module';
import { ADAPTERS } from '../adapters/index.js';
import { FirError } from '../errors.js';
import type { CallRecord, MemberKind } from '../model/call.js';
import { isAllowed } from './consent.js';
import type { CodePlace, Executor, ExecutorTask, PreparedCall } from './contract.js';
import { findExport, findMethod, findStatic } from './find-export.js';
import { importFile, importPackage } from './import-package.js';
import { openLibrary } from './libraries.js';
import { ownerOf } from './owner-of.js';

type LoadedPlace = Exclude<CodePlace, { kind: 'adapter' }>;
type Callable = (...args: unknown[]) => unknown;
type Constructor = new (...args: unknown[]) => object;

const requireHere = createRequire(import.meta.url);

/** Runs JavaScript calls in this process: modules of the application, packages, built-ins, and what adapters know. */
export const nodeExecutor: Executor = {
  name: 'node',
  handles: () => true,
  prepare: (task) => {
    const { place } = task;
    return place.kind === 'adapter' ? prepareAdapter(task, place) : prepareExport(task, place);
  },
};

async function prepareAdapter(
  task: ExecutorTask,
  place: Extract<CodePlace, { kind: 'adapter' }>,
): Promise<PreparedCall> {
  const { record } = task;
  const adapter = ADAPTERS.find(({ name }) => name === place.adapter);
  if (adapter === undefined) throw new FirError('NOT_REPLAYABLE', `there is no adapter '${place.adapter}'`);
  const library = await openLibrary(adapter, task);
  return {
    notes: versionNotes(adapter.name, library.version, place.version),
    tensorFromHost: (host, tensor, strings) => library.tensorFromHost(host, tensor, strings),
    decodeCustom: (node) => library.decodeCustom(node),
    invoke: (self, args, notes) => library.invoke(record, self, args, notes),
    dispose: (object) => library.dispose?.(object),
  };
}

async function prepareExport(task: ExecutorTask, place: LoadedPlace): Promise<PreparedCall> {
  const { record } = task;
  const kind = kindOf(record);
  const member = record.function_name.slice(record.function_name.lastIndexOf('.') + 1);
  // The live object has its methods: only a candidate that stands for one method alone is loaded.
  if (kind === 'method' && !(place.kind === 'target' && !place.isClass)) {
    return {
      notes: [],
      invoke: (self, args) => Reflect.apply(findMethod(receiverOf(self, record), member), self, args),
    };
  }
  const { exports, notes, where } = await load(task, place);
  const path = kind === 'function' ? place.export : withoutMember(place.export, member);
  const { value, owner } = findExport(exports, path, where);
  if (place.kind !== 'target' && place.kind !== 'builtin') refusePassedOn(value, task, place);
  if (typeof value !== 'function') {
    throw new FirError('EXPORT_NOT_FOUND', `export '${path}' is no function`, { where });
  }
  return { notes, invoke: invokerOf(value as Callable, owner, kind, member, place, record) };
}

function invokerOf(
  value: Callable,
  owner: object | undefined,
  kind: MemberKind,
  member: string,
  place: LoadedPlace,
  record: CallRecord,
): PreparedCall['invoke'] {
  if (kind === 'constructor')
    return (_self, args) => Reflect.construct(value as unknown as Constructor, args);
  if (kind === 'method') return (self, args) => Reflect.apply(value, receiverOf(self, record), args);
  const isWholeClass = kind === 'static' && !(place.kind === 'target' && !place.isClass);
  if (isWholeClass) return (_self, args) => Reflect.apply(findStatic(value, member), value, args);
  return (_self, args) => Reflect.apply(value, owner, args);
}

async function load(
  task: ExecutorTask,
  place: LoadedPlace,
): Promise<{ exports: object; notes: readonly string[]; where: string }> {
  switch (place.kind) {
    case 'file':
    case 'target':
      return { exports: await importFile(place.path), notes: [], where: place.path };
    case 'builtin':
      return { exports: requireHere(place.name), notes: [], where: place.name };
    case 'package': {
      const { exports, version } = await importPackage(place.package, task.base, place.subpath);
      return {
        exports: withDefault(exports),
        notes: versionNotes(place.package, version, place.version),
        where: place.package,
      };
    }
  }
}

/** A CommonJS package may be a function: its default export. */
function withDefault(exports: object): object {
  return typeof exports === 'function' ? { default: exports } : exports;
}

/** A function that the module did not make, but only passes on, needs the consent that its owner needs. */
function refusePassedOn(value: unknown, task: ExecutorTask, place: LoadedPlace): void {
  const owner = ownerOf(value);
  if (owner === undefined || (place.kind === 'package' && owner === place.package)) return;
  if (isAllowed([owner, owner.replace(/^node:/, '')], task)) return;
  throw new FirError(
    'NOT_ALLOWED',
    `export '${place.export}' is a function of ${owner}; add --allow '${owner}'`,
  );
}

function receiverOf(self: object | undefined, record: CallRecord): object {
  if (self === undefined)
    throw new FirError('NOT_REPLAYABLE', `${record.function_name} has no object to run on`);
  return self;
}

function kindOf(record: CallRecord): MemberKind {
  if (record.fir?.kind !== undefined) return record.fir.kind;
  if (record.function_name.endsWith('.__init__')) return 'constructor';
  return record.self_id === undefined ? 'function' : 'method';
}

/** The class, where an export path names its member: `Attention.create` for `Attention`. */
function withoutMember(path: string, member: string): string {
  return path.endsWith(`.${member}`) ? path.slice(0, -member.length - 1) : path;
}

function versionNotes(name: string, version: string | undefined, recorded: string | undefined): string[] {
  if (version === recorded || version === undefined || recorded === undefined) return [];
  return [`${name} is ${version} here, ${recorded} when it was recorded`];
}
