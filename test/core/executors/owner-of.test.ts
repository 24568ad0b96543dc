import { execSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { promises } from 'node:fs';
import { expect, test } from 'vitest';
import { ownerOf } from '../../../src/core/executors/owner-of.js';

test('functions of the runtime are known, whoever passes them on', () => {
  expect(ownerOf(execSync)).toBe('node:child_process');
  expect(ownerOf(promises.rm)).toMatch(/^node:fs(\/promises)?$/);
  expect(ownerOf(EventEmitter.once)).toBe('node:events');
  expect(ownerOf(Reflect.get(globalThis, 'eval'))).toBe('globalThis');
  expect(ownerOf(Function)).toBe('globalThis');
  expect(ownerOf(Reflect.construct)).toBe('globalThis');
  expect(ownerOf(process.kill)).toBe('node:process');
});

test('a function of its own has no other owner, and what is no function has none', () => {
  expect(ownerOf(() => execSync('true'))).toBeUndefined();
  expect(ownerOf(execSync.bind(undefined))).toBeUndefined();
  expect(ownerOf('execSync')).toBeUndefined();
});
