import { expect, test } from 'vitest';
import { createWorkload, routesOf } from '../../../bench/load/workload.ts';
import { loadBenches } from '../../../bench/modules.ts';
import { bench as platform } from '../../../bench/platform/bench.ts';
import { madeUpModule } from '../made-up-module.ts';

test('a day is made of the parts of all modules', () => {
  const { officeDay, rare, steps, checks } = createWorkload([platform, madeUpModule]);
  expect(officeDay).toMatchObject({ 'GET /api/me': 12, 'GET /api/notes': 9 });
  expect(rare).toMatchObject({ 'POST /api/sessions': 4, 'DELETE /api/notes/{id}': 2 });
  expect(Object.keys(steps)).toEqual(expect.arrayContaining(['GET /api/me', 'POST /api/notes']));
  expect(Object.keys(checks)).toEqual(expect.arrayContaining(['page', 'summary', 'me', 'short']));
});

test('the platform alone has a day, and a module with only steps fits in', () => {
  expect(Object.keys(createWorkload([platform]).officeDay)).toContain('GET /api/summary');
  const { steps = {} } = madeUpModule;
  expect(createWorkload([platform, { steps }]).steps['GET /api/notes']).toBe(steps['GET /api/notes']);
});

test('two modules that mean different things by one name are refused', () => {
  expect(() => createWorkload([madeUpModule, { steps: { ...madeUpModule.steps } }])).toThrow(
    'Two modules have a step called GET /api/notes.',
  );
});

test('a mix of steps that do not exist is refused', () => {
  expect(() => createWorkload([platform, { officeDay: { 'GET /api/nothing': 1 } }])).toThrow(
    'A mix has steps that do not exist: GET /api/nothing',
  );
});

test('each step of the modules that there are is in one of the mixes', async () => {
  const { steps, officeDay, rare } = createWorkload(await loadBenches());
  expect(Object.keys({ ...officeDay, ...rare }).sort()).toEqual(Object.keys(steps).sort());
});

test('routes are the steps without their uses', () => {
  expect(routesOf({ 'GET /api/notes (search)': 1, 'GET /api/notes': 1, 'socket note': 1 })).toEqual([
    'GET /api/notes',
    'socket note',
  ]);
});
