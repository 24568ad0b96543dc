import { join } from 'node:path';
import { openSession, type Session } from '../../src/core/session/index.js';
import { nodeUnderTest, type ProcessResult, type RunOptions, repository, runFir } from '../support/fir.js';
import { flashinferRecorder } from '../support/flashinfer-recorder.js';
import { pythonWithTorch } from '../support/python.js';
import { program } from './captured.js';

/** Calls of `plain` of the fixture program. */
export const PLAIN = ['scaled_mm', 'topk', 'mean_value'];
/** Calls of `wrapper`. */
export const WRAPPER = ['BatchDemoWrapper.__init__', 'BatchDemoWrapper.plan', 'BatchDemoWrapper.run'];

export interface PythonTools {
  python: string;
  /** What a Python process needs to find FlashInfer's recorder and the functions of the fixtures. */
  env: NodeJS.ProcessEnv;
  /** Words that run the fixture program with these steps. */
  command(...steps: string[]): string[];
}

/** A Python with torch and FlashInfer's recorder, and the program that calls recorded functions. */
export async function pythonTools(): Promise<PythonTools> {
  const python = await pythonWithTorch();
  const kernels = join(repository, 'test', 'fixtures', 'flashinfer', 'py');
  const env = {
    PYTHONPATH: `${await flashinferRecorder()}:${kernels}`,
    PYTHONDONTWRITEBYTECODE: '1',
    TEST_NODE: nodeUnderTest,
  };
  return { python, env, command: (...steps) => [python, program('flashinfer_calls.py'), ...steps] };
}

/** `fir capture` of a command into `session` below a directory, in which it runs. */
export function captureIn(
  directory: string,
  command: readonly string[],
  { flags = [], ...options }: RunOptions & { flags?: readonly string[] } = {},
): Promise<ProcessResult> {
  return runFir(['capture', '-o', 'session', ...flags, '--', ...command], { cwd: directory, ...options });
}

export function sessionIn(directory: string): Session {
  return openSession(join(directory, 'session'));
}

export function namesIn(session: Session): string[] {
  return session.calls.map((call) => call.functionName);
}

/** Lines that `fir` itself said. */
export function firLines({ stderr }: ProcessResult): string[] {
  return stderr.split('\n').filter((line) => line.startsWith('fir: '));
}

/** What the program printed, without the banner that FlashInfer prints at import. */
export function programOutput({ stdout }: ProcessResult): string {
  const banners = /={80}\n(?:WARNING: FlashInfer API|\[[^\]]*\] FlashInfer API Logging)[\s\S]*?={80}\n/g;
  return stdout.replaceAll(banners, '');
}
