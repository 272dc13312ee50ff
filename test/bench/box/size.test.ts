import { expect, test } from 'vitest';
import { parseSize } from '../../../bench/box/size.ts';

test('sizes are read as docker reads them', () => {
  expect(parseSize('512m')).toBe(536_870_912);
  expect(parseSize('1G')).toBe(2 ** 30);
  expect(parseSize('1.5gb')).toBe(1.5 * 2 ** 30);
  expect(parseSize('65536')).toBe(65_536);
});

test.each(['', 'm', '-1m', '512 apples', '1t', 'NaN'])('%j is no size', (text) => {
  expect(parseSize(text)).toBeUndefined();
});
