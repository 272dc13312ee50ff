import { expect, test } from 'vitest';
import { createFairPlaces, type FairPlaces } from '../../src/flow/fair-places.ts';

const LIMITS = { places: 4, perKey: 3 };

test('a key has no more than its share, and gets another place when it gives one back', () => {
  const { places, enter } = watched(LIMITS);
  const leave = enter('a');
  enter('a');
  enter('a');
  expect(enter('a')).toBeUndefined();
  leave?.();
  leave?.(); // the second time changes nothing
  expect(places.taken).toBe(2);
  expect(enter('a')).toBeDefined();
});

test('when all places are taken, the key that has most gives up the one that it has held for longest', () => {
  const { places, enter, gone } = watched(LIMITS);
  for (const key of ['b', 'a', 'a', 'a']) enter(key);
  expect(enter('c')).toBeDefined();
  expect(gone).toEqual(['a 1']);
  expect(places.taken).toBe(4);
});

test('those who have as many as the others do not push them out', () => {
  const { enter, gone } = watched(LIMITS);
  for (const key of ['a', 'a', 'b', 'b']) enter(key);
  expect(enter('a')).toBeUndefined();
  expect(enter('b')).toBeUndefined();
  expect(enter('c')).toBeDefined(); // it has two fewer
  expect(enter('c')).toBeUndefined(); // and now as many as the one it took from
  expect(gone).toEqual(['a 0']);
});

test('who was pushed out does not give back the place of the one that has it now', () => {
  const { places, enter } = watched({ places: 2 });
  const leave = enter('a');
  enter('a');
  enter('b');
  leave?.();
  expect(places.taken).toBe(2);
});

test('what stays keeps its place, whoever comes, and the next one that does not gives up its own', () => {
  const places = createFairPlaces({ places: 2 });
  const gone: string[] = [];
  let isRead = true;
  places.enter(
    'a',
    () => void gone.push('first'),
    () => true,
  );
  places.enter(
    'a',
    () => void gone.push('second'),
    () => isRead,
  );
  expect(places.enter('b', () => undefined)).toBeUndefined();
  isRead = false;
  expect(places.enter('b', () => undefined)).toBeDefined();
  expect(gone).toEqual(['second']);
});

test('where newcomers push, each gets in, at the cost of those that have most', () => {
  const { places, enter, gone } = watched({ places: 3, pushes: true });
  for (const key of ['a', 'b', 'b']) enter(key);
  expect(enter('c')).toBeDefined();
  expect(gone).toEqual(['b 1']);
  expect(enter('d')).toBeDefined(); // all have one: the longest of all
  expect(gone).toEqual(['b 1', 'a 0']);
  for (let n = 0; n < 3; n++) enter('d');
  expect(gone.slice(-1)).toEqual(['d 6']); // in the end its own
  expect(places.taken).toBe(3);
});

test('where newcomers push, somebody alone pushes out their own', () => {
  const { places, enter, gone } = watched({ places: 2, pushes: true });
  for (let n = 0; n < 4; n++) expect(enter('a')).toBeDefined();
  expect(gone).toEqual(['a 0', 'a 1']);
  expect(places.taken).toBe(2);
});

/** Who gave up: the key, and which of all that entered it was. */
function watched(limits: { places: number; perKey?: number; pushes?: true }) {
  const places: FairPlaces = createFairPlaces(limits);
  const gone: string[] = [];
  let entered = 0;
  const enter = (key: string) => {
    const nth = entered++;
    return places.enter(key, () => gone.push(`${key} ${nth}`));
  };
  return { places, enter, gone };
}
