import { expect, test } from 'vitest';
import { createWorkload, routesOf } from '../../../bench/load/workload.ts';
import { loadBenches } from '../../../bench/modules.ts';
import { bench as platform } from '../../../bench/platform/bench.ts';
import { madeUpModule } from '../made-up-module.ts';

test('a day is made of the parts of all modules', () => {
  const { officeDay, rare, steps, checks } = createWorkload([platform, madeUpModule]);
  expect(officeDay).toMatchObject({ 'GET /api/v1/me': 12, 'GET /api/v1/notes': 9 });
  expect(rare).toMatchObject({ 'POST /api/v1/sessions': 4, 'DELETE /api/v1/notes/{id}': 2 });
  expect(Object.keys(steps)).toEqual(expect.arrayContaining(['GET /api/v1/me', 'POST /api/v1/notes']));
  expect(Object.keys(checks)).toEqual(expect.arrayContaining(['page', 'summary', 'me', 'short']));
});

test('the platform alone has a day, and a module with only steps fits in', () => {
  expect(Object.keys(createWorkload([platform]).officeDay)).toContain('GET /api/v1/summary');
  const { steps = {} } = madeUpModule;
  expect(createWorkload([platform, { steps }]).steps['GET /api/v1/notes']).toBe(steps['GET /api/v1/notes']);
});

test('two modules that mean different things by one name are refused', () => {
  expect(() => createWorkload([madeUpModule, { steps: { ...madeUpModule.steps } }])).toThrow(
    'Two modules have a step called GET /api/v1/notes.',
  );
});

test('a mix of steps that do not exist is refused', () => {
  expect(() => createWorkload([platform, { officeDay: { 'GET /api/v1/nothing': 1 } }])).toThrow(
    'A mix has steps that do not exist: GET /api/v1/nothing',
  );
});

test('each step of the modules that there are is in one of the mixes', async () => {
  const { steps, officeDay, rare } = createWorkload(await loadBenches());
  expect(Object.keys({ ...officeDay, ...rare }).sort()).toEqual(Object.keys(steps).sort());
});

test('routes are the steps without their uses', () => {
  expect(routesOf({ 'GET /api/v1/notes (search)': 1, 'GET /api/v1/notes': 1, 'socket note': 1 })).toEqual([
    'GET /api/v1/notes',
    'socket note',
  ]);
});
