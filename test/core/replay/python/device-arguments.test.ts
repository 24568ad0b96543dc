import { expect, test } from 'vitest';
import { deviceArguments } from '../../../../src/core/replay/python/device-arguments.js';
import { DeviceMap } from '../../../../src/core/replay/python/device-map.js';

const device = (repr: string) => ({ type: 'device', repr });

test('a device among the arguments goes where tensors of that device go', () => {
  const devices = new DeviceMap('cuda:1', ['cuda:0', 'cuda:1']);
  const tensors = ['cuda:5', 'cuda:3', 'cuda:4'].map((name) => devices.placeOf(name));
  const metadata = {
    arg_0: device('cuda:4'),
    kwarg_on: {
      type: 'list',
      length: 2,
      items: [device('cuda:5'), { type: 'dict', items: [{ key: 'd', value: device('cuda:3') }] }],
    },
  };
  expect(tensors).toEqual(['cuda:1', 'cuda:0', 'cuda:1']);
  expect([...deviceArguments(metadata, devices)].sort()).toEqual([
    ['cuda:3', 'cuda:0'],
    ['cuda:4', 'cuda:1'],
    ['cuda:5', 'cuda:1'],
  ]);
});

test('tensors go where a device among earlier arguments went', () => {
  const devices = new DeviceMap('cuda:0', ['cuda:0', 'cuda:1']);
  expect([...deviceArguments({ arg_0: device('cuda:7') }, devices)]).toEqual([['cuda:7', 'cuda:0']]);
  expect([devices.placeOf('cuda:6'), devices.placeOf('cuda:7')]).toEqual(['cuda:1', 'cuda:0']);
});

test('the current CUDA device stays whichever is current, and goes with the others to the host', () => {
  const current = { arg_0: device('cuda') };
  const here = new DeviceMap('cuda:1', ['cuda:0', 'cuda:1']);
  expect([...deviceArguments(current, here)]).toEqual([]);
  expect([here.placeOf('cuda'), here.noteOn('cuda')]).toEqual(['cuda:1', undefined]);
  // It takes no device from those that the record names.
  expect(here.placeOf('cuda:3')).toBe('cuda:1');
  const host = new DeviceMap('cpu', []);
  expect([...deviceArguments(current, host)]).toEqual([['cuda', 'cpu']]);
  expect(host.noteOn('cuda')).toBe('device: cuda -> cpu');
});

test('the current CUDA device is where the first one went, if the record names that too', () => {
  const devices = new DeviceMap('cuda:0', ['cuda:0', 'cuda:1']);
  expect([devices.placeOf('cuda:1'), devices.placeOf('cuda:0')]).toEqual(['cuda:0', 'cuda:1']);
  expect([...deviceArguments({ arg_0: device('cuda') }, devices)]).toEqual([['cuda', 'cuda:1']]);
});

test('what is no CUDA device stays, and so does what only looks like one', () => {
  const metadata = {
    arg_0: device('cpu'),
    arg_1: device('meta'),
    arg_2: device('cuda:0; import os'),
    arg_3: device('__proto__'),
    arg_4: 'cuda:0',
    arg_5: { type: 'str', repr: 'cuda:0' },
    arg_6: { type: 'device', repr: 7 },
  };
  expect([...deviceArguments(metadata, new DeviceMap('cpu', []))]).toEqual([]);
});
