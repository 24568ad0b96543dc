import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { FirError } from '../errors.js';
import { type ConsentOptions, languageOf } from '../executors/index.js';
import type { Reporter } from '../model/reporter.js';
import type { PresetName } from '../model/tolerance.js';
import type { ReplaySummary } from '../model/verdict.js';
import { withSession } from '../pack/index.js';
import { pythonWorker } from '../package-root.js';
import { ReplayPlan } from '../plan/replay-plan.js';
import { type PlanRules, SessionPlanSource } from '../plan/session-plan-source.js';
import { type CallSelection, selectCalls } from '../select/index.js';
import type { Session } from '../session/index.js';
import { LaneRunner } from './lane-runner.js';
import type { ReplayOptions, ReplaySelection } from './options.js';
import { findInterpreter, pythonEnvironment } from './python/interpreter.js';
import { PythonSite } from './python/python-site.js';
import { ReplayContext } from './replay-context.js';
import { whyNotRunnable } from './runnable.js';
import { findWorkerEntry, workerEnvironment } from './worker-environment.js';

export type { ReplayTarget } from '../executors/index.js';
export type { ReplayOptions } from './options.js';

/** Where JavaScript calls run. */
const HOST_DEVICES = new Set(['auto', 'cpu']);

/**
 * Runs the selected calls of a session, which may be packed, again in workers, and tells the reporter what became of
 * each.
 *
 * @throws FirError NOT_FOUND, NOT_A_SESSION, UNSAFE_PATH, PACK_INVALID, TOO_LARGE, USAGE, DEVICE_MISSING, WORKER_FAILED.
 */
export function replaySession(options: ReplayOptions, reporter: Reporter): Promise<ReplaySummary> {
  return withSession(options.path, options.signal, (session) => replayOpened(session, options, reporter));
}

async function replayOpened(
  session: Session,
  options: ReplayOptions,
  reporter: Reporter,
): Promise<ReplaySummary> {
  const { signal } = options;
  const consent = checkOptions(options, session);
  const preset = options.comparison.preset ?? (session.producer === 'flashinfer' ? 'flashinfer' : 'default');
  const selected = selectCalls(session, selectionFrom(options.select));
  const rules: PlanRules = {
    languageOf: (call) => languageOf(call, consent),
    isRunnable: (call, record, resolution) => whyNotRunnable(call, record, resolution, consent) === undefined,
  };
  const source = new SessionPlanSource(session, rules, options.stateful);
  const plan = new ReplayPlan(source, new Set(selected.map(({ number }) => number)));
  const python = await openPython(options, plan, consent, preset);
  const context = new ReplayContext({
    session,
    plan,
    options,
    consent,
    reporter,
    python,
    nodeWorker: {
      entry: options.workerEntry ?? findWorkerEntry(),
      nodeOptions: options.nodeOptions,
      cwd: consent.app ?? consent.cwd,
      env: workerEnvironment(process.env),
      setup: {
        consent,
        mapPath: options.mapPath,
        seed: options.seed ?? 0,
        comparison: { ...options.comparison, preset },
      },
    },
  });
  const notes = [...nodeOptionHints(session, options), ...orderNotes(session)];
  await reporter.onBegin?.({
    session: options.path,
    device: python?.device ?? 'cpu',
    preset,
    calls: selected.length,
    ...(notes.length === 0 ? {} : { notes }),
  });
  const end = () => context.end();
  signal?.addEventListener('abort', end);
  try {
    if (signal?.aborted === true) end();
    await runLanes(context, plan, options.jobs);
  } finally {
    signal?.removeEventListener('abort', end);
    context.dispose();
    await python?.dispose();
  }
  const summary = context.summarise(selected.length, signal?.aborted === true);
  await reporter.onEnd?.(summary);
  return summary;
}

/** What runs the Python calls of the plan; undefined where it has none. FirError DEVICE_MISSING, USAGE. */
async function openPython(
  options: ReplayOptions,
  plan: ReplayPlan,
  consent: ConsentOptions,
  preset: PresetName,
): Promise<PythonSite | undefined> {
  const { device, comparison, trustGraphInputs = false } = options;
  if (plan.lanes.some(({ language }) => language === 'javascript') && !HOST_DEVICES.has(device)) {
    throw new FirError('DEVICE_MISSING', `${device} is not there: this build has no CUDA backend`, {
      hint: 'replay on the host: --device cpu',
    });
  }
  if (!plan.lanes.some(({ language }) => language === 'python')) return undefined;
  const { cwd } = consent;
  const site = new PythonSite({
    interpreter: findInterpreter(options.python, process.env, cwd),
    worker: pythonWorker(),
    cwd,
    env: pythonEnvironment(workerEnvironment(process.env)),
    pythonPath: (options.pythonPath ?? []).map((path) => resolve(cwd, path)),
    device,
    consent,
    comparison: { ...comparison, preset },
    trustGraphInputs,
    seed: options.seed ?? 0,
    signal: options.signal,
  });
  try {
    await site.open();
    return site;
  } catch (error) {
    await site.dispose();
    throw error;
  }
}

function selectionFrom({ call, include, exclude, pid }: ReplaySelection): CallSelection {
  return { include, exclude, pid, ...(call === undefined ? {} : { call }) };
}

/** At most `jobs` lanes at a time; one that can't go on ends the others. */
async function runLanes(context: ReplayContext, plan: ReplayPlan, jobs: number): Promise<void> {
  const waiting = [...plan.lanes];
  const runNext = async (): Promise<void> => {
    for (let lane = waiting.shift(); lane !== undefined && !context.isEnded; lane = waiting.shift()) {
      try {
        await new LaneRunner(context, lane).run();
      } catch (error) {
        context.end();
        throw error;
      }
    }
  };
  const runners = Array.from({ length: Math.max(1, Math.min(jobs, waiting.length)) }, runNext);
  const endings = await Promise.allSettled(runners);
  for (const ending of endings) if (ending.status === 'rejected') throw ending.reason;
}

function checkOptions(options: ReplayOptions, session: Session): ConsentOptions {
  const cwd = process.cwd();
  const app = options.app === undefined ? undefined : checkDirectory('--app', options.app, cwd);
  for (const path of options.pythonPath ?? []) checkDirectory('--pythonpath', path, cwd);
  for (const { file } of options.targets) {
    if (!existsSync(resolve(cwd, file)))
      throw new FirError('USAGE', `--target names ${file}, which does not exist`);
  }
  const entryFiles = [...session.processes.values()].flatMap(({ argv }) => argv[1] ?? []);
  return { app, cwd, allow: options.allow, targets: options.targets, entryFiles };
}

/** FirError USAGE. */
function checkDirectory(flag: string, path: string, cwd: string): string {
  const directory = resolve(cwd, path);
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return directory;
  throw new FirError('USAGE', `${flag} ${path} is no directory`);
}

/** Where calls may not be in the order in which they were made. */
function orderNotes({ unindexed }: Session): string[] {
  if (unindexed === 0) return [];
  const calls = unindexed === 1 ? '1 call stands' : `${unindexed} calls stand`;
  return [
    `${calls} in no session.jsonl: those of one millisecond may run in another order than they did, and those inside of others twice`,
  ];
}

/** Options of the recorded program's Node, as hints: a recording is never followed there. */
function nodeOptionHints(session: Session, options: ReplayOptions): string[] {
  if (options.nodeOptions.length > 0) return [];
  const recorded = new Set<string>();
  for (const { execArgv, node_options: nodeOptions } of session.processes.values()) {
    const all = [...execArgv, ...(nodeOptions ?? '').split(/\s+/)].filter((option) => option !== '');
    if (all.length > 0) recorded.add(all.join(' '));
  }
  return [...recorded]
    .slice(0, 3)
    .map((all) => `recorded with the Node options ${all}; give those that the code needs with --node-option`);
}
