import { expect, test } from 'vitest';
import { withoutDeadLinks, withoutSample } from '../../../scripts/service/documents.ts';

const exists = (target: string) => target === 'src/here.ts';

test('rows and items that lead to a file which is gone are left out, everything else stays', () => {
  const text =
    '| [a](src/here.ts) | x |\n| [b](src/gone.ts) | y |\n- [c](docs/gone.md)\nSee [d](https://e.test/gone.ts).\n';
  expect(withoutDeadLinks(text, exists)).toBe('| [a](src/here.ts) | x |\nSee [d](https://e.test/gone.ts).\n');
});

test('a link to a place within a file leads to the file', () => {
  expect(withoutDeadLinks('- [a](src/here.ts#part)\n', exists)).toBe('- [a](src/here.ts#part)\n');
});

test('what is true of the sample only goes, with its marks', () => {
  const text =
    'before\n\n<!-- sample -->\nthe sample\n\n<!-- /sample -->\nbetween\n<!-- sample -->\nagain\n<!-- /sample -->\nafter\n';
  expect(withoutSample(text)).toBe('before\n\nbetween\nafter\n');
});
