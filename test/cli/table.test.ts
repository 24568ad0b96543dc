import { expect, test } from 'vitest';
import { displayWidth, truncateTo } from '../../src/cli/display-width.js';
import { type Column, Table } from '../../src/cli/table.js';

const COLUMNS: Column[] = [
  { title: '#', align: 'right' },
  { title: 'NAME', shrinks: true },
  { title: 'SHAPE', shrinks: true },
];
const ROWS = [
  ['1', 'a_rather_long_function_name', 'float32[1,512]'],
  ['10', 'gemm', 'int64[]'],
];

function lines(width: number): string[] {
  const table = new Table(COLUMNS, ROWS, width);
  return [table.header(), ...ROWS.map((row) => table.row(row))];
}

test('without a terminal nothing is cut, and no line has trailing spaces', () => {
  expect(lines(Number.POSITIVE_INFINITY)).toEqual([
    ' #  NAME                         SHAPE',
    ' 1  a_rather_long_function_name  float32[1,512]',
    '10  gemm                         int64[]',
  ]);
});

test.each([40, 30, 24])('on a terminal of %i columns every line fits', (width) => {
  const widths = lines(width).map(displayWidth);
  expect(Math.max(...widths)).toBeLessThanOrEqual(width);
  expect(lines(width)[1]).toContain('…');
});

test('a column that may not shrink is whole even where the terminal is too narrow', () => {
  expect(lines(5)[2]).toMatch(/^10 {2}gemm/);
});

test('a later cell that is too long is cut on a terminal and pushes its line out elsewhere', () => {
  const late = ['11', 'gemm', 'float32[1,2,3,4,5,6,7,8]'];
  expect(new Table(COLUMNS, ROWS, 200).row(late)).toMatch(/float32\[1,2,3…$/);
  expect(new Table(COLUMNS, ROWS, Number.POSITIVE_INFINITY).row(late)).toMatch(/7,8\]$/);
});

test('colour is no part of the width', () => {
  const table = new Table(COLUMNS, ROWS, 200);
  const painted = table.row(['1', 'gemm', 'x'], (cell, column) => (column === 1 ? `<${cell}>` : cell));
  expect(painted).toBe(` 1  <gemm>${' '.repeat(25)}x`);
});

test.each([
  ['ascii', 5],
  ['形状', 4],
  ['e\u0301', 1],
  ['😀', 2],
  ['', 0],
])('%j takes %i columns', (text, width) => {
  expect(displayWidth(text)).toBe(width);
});

test('a wide character is not cut in half', () => {
  expect(truncateTo('形状形状', 6)).toBe('形状…');
  expect(truncateTo('abc', 3)).toBe('abc');
  expect(truncateTo('abcd', 0)).toBe('');
});
