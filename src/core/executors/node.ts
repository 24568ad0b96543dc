import { ADAPTERS } from '../adapters/index.js';
import { FirError } from '../errors.js';
import type { CallRecord, MemberKind } from '../model/call.js';
import { isAllowed } from './consent.js';
import type { Executor, ExecutorTask, JavaScriptPlace, PreparedCall } from './contract.js';
import { findExport, findMethod, findStatic } from './find-export.js';
import { importFile, importPackage } from './import-package.js';
import { openLibrary } from './libraries.js';
import { ownerOf } from './owner-of.js';
import { requireHere } from './require-here.js';

type LoadedPlace = Exclude<JavaScriptPlace, { kind: 'adapter' }>;
type Callable = (...args: unknown[]) => unknown;
type Constructor = new (...args: unknown[]) => object;

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
  place: Extract<JavaScriptPlace, { kind: 'adapter' }>,
): Promise<PreparedCall> {
  const { record } = task;
  const adapter = ADAPTERS.find(({ name }) => name === place.adapter);
  if (adapter === undefined) throw new FirError('NOT_REPLAYABLE', `there is no adapter '${place.adapter}'`);
  const library = await openLibrary(adapter, task);
  return {
    notes: versionNotes(place.package, library.version, place.version),
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
  const isMemberAlone = place.kind === 'target' && !place.isClass;
  // The live object has its methods.
  if (kind === 'method' && !isMemberAlone) return { notes: [], invoke: methodInvoker(record, member) };
  const { exports, notes, where } = await load(task, place);
  const path = kind === 'function' ? place.export : withoutMember(place.export, member);
  const { value, owner } = findExport(exports, path, where);
  if (typeof value !== 'function') {
    throw new FirError('EXPORT_NOT_FOUND', `export '${path}' is no function`, { where });
  }
  const isStaticOfClass = kind === 'static' && !isMemberAlone;
  const called = isStaticOfClass ? findStatic(value, member) : (value as Callable);
  if (place.kind !== 'target' && place.kind !== 'builtin') refusePassedOn([value, called], task, place);
  return { notes, invoke: invokerOf(called, kind, isStaticOfClass ? value : owner, record) };
}

function methodInvoker(record: CallRecord, member: string): PreparedCall['invoke'] {
  return (self, args) => {
    const receiver = receiverOf(self, record);
    return Reflect.apply(findMethod(receiver, member), receiver, args);
  };
}

function invokerOf(
  called: Callable,
  kind: MemberKind,
  receiver: object | undefined,
  record: CallRecord,
): PreparedCall['invoke'] {
  switch (kind) {
    case 'constructor':
      return (_self, args) => Reflect.construct(called as unknown as Constructor, args);
    case 'method':
      return (self, args) => Reflect.apply(called, receiverOf(self, record), args);
    default:
      return (_self, args) => Reflect.apply(called, receiver, args);
  }
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
      return { exports: requireHere()(place.name), notes: [], where: place.name };
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
function refusePassedOn(values: readonly unknown[], task: ExecutorTask, place: LoadedPlace): void {
  const owner = values.map(ownerOf).find((found) => found !== undefined);
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
