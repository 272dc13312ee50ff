import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { AuditWords } from '../../../src/modules/audit/audit.ts';
import { AUDIT_ACTION_CHARS_MAX } from '../../../src/modules/audit/limits.ts';
import { ROOT } from '../../house/source-graph.ts';
import { NOTES, TEST_MODULES } from '../../modules.ts';

/** By module. */
const stated = new Map<string, AuditWords>();
beforeAll(async () => {
  for (const { name, actions } of TEST_MODULES) if (actions !== undefined) stated.set(name, (await actions()).actions);
});

test('each action belongs to one module, and fits into the filter of the log', () => {
  const actions = [...stated.values()].flatMap((words) => Object.keys(words));
  expect(actions.length).toBeGreaterThan(stated.size);
  expect(actions).toEqual([...new Set(actions)]);
  for (const action of actions) {
    expect(action).toMatch(/^[a-z-]+\.[a-z-]+$/);
    expect(action.length).toBeLessThanOrEqual(AUDIT_ACTION_CHARS_MAX);
  }
});

test('the documentation of each module lists the actions that its code has', () => {
  for (const [module, words] of stated) {
    const page = join(module === NOTES.name ? 'template' : '', 'docs', 'modules', module, 'audit.md');
    const rows = existsSync(join(ROOT, page)) ? rowsOf(readFileSync(join(ROOT, page), 'utf8')) : [];
    expect(rows, `the rows of ${page}`).toEqual(
      Object.entries(words).map(([action, says]) => `| \`${action}\` | ${says} |`),
    );
  }
});

function rowsOf(page: string): string[] {
  return page.split('\n').filter((line) => line.startsWith('| `'));
}
