import { expect, test } from 'vitest';
import { DeviceMap } from '../../../../src/core/replay/python/device-map.js';

test('what was on the host stays there, whatever the device is', () => {
  expect(new DeviceMap('cuda:0', ['cuda:0']).placeOf('cpu')).toBe('cpu');
});

test('a recorded GPU that this machine lacks goes to the device that was asked for, and that is told', () => {
  const devices = new DeviceMap('cuda:0', ['cuda:0']);
  expect(devices.placeOf('cuda:7')).toBe('cuda:0');
  expect(devices.noteOn('cuda:7')).toBe('device: cuda:7 -> cuda:0');
  expect(devices.noteOn('cuda:0')).toBe(undefined);
});

test('several recorded GPUs stay apart as long as there are devices', () => {
  const devices = new DeviceMap('cuda:1', ['cuda:0', 'cuda:1']);
  expect(['cuda:5', 'cuda:3', 'cuda:5', 'cuda:4'].map((name) => devices.placeOf(name))).toEqual([
    'cuda:1',
    'cuda:0',
    'cuda:1',
    'cuda:1',
  ]);
});

test('everything goes to the host where that was asked for', () => {
  const devices = new DeviceMap('cpu', []);
  expect([devices.placeOf('cuda:7'), devices.placeOf('unknown')]).toEqual(['cpu', 'cpu']);
  expect(devices.noteOn('cuda:7')).toBe('device: cuda:7 -> cpu');
  expect(devices.noteOn('unknown')).toBe(undefined);
});

test('a device that was not recorded is the one that was asked for', () => {
  expect(new DeviceMap('cuda:1', ['cuda:0', 'cuda:1']).placeOf('unknown')).toBe('cuda:1');
});
