import { expect, test } from 'vitest';
import { createSecretBox } from '../../src/http/secret-box.ts';

const box = createSecretBox('a secret key', 'tests');

test('what was sealed opens at its place, and no two seals are the same', () => {
  const sealed = box.seal('1/2', 'the secret');
  expect(box.open('1/2', sealed)).toBe('the secret');
  expect(sealed.toString('latin1')).not.toContain('the secret');
  expect(box.seal('1/2', 'the secret').equals(sealed)).toBe(false);
});

test('it does not open at another place, with another key, for another purpose, or changed', () => {
  const sealed = box.seal('1/2', 'the secret');
  const changed = Buffer.from(sealed);
  changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
  for (const open of [
    () => box.open('1/3', sealed),
    () => createSecretBox('another key', 'tests').open('1/2', sealed),
    () => createSecretBox('a secret key', 'other').open('1/2', sealed),
    () => box.open('1/2', changed),
    () => box.open('1/2', sealed.subarray(0, 20)),
  ])
    expect(open).toThrow();
});
