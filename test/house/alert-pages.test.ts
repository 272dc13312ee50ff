import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ONLY_PROMETHEUS } from '../../scripts/alerts/prometheus.ts';
import { MODULES } from '../../src/modules.ts';
import { ROOT } from './source-graph.ts';

/** The platform's page names no module: what a module alerts about is on a page of its own. */
const PLATFORM = { name: 'operations', page: 'docs/alerts.md' };
/** It fires always, so there is no fault that it could be measured with. */
const WITHOUT_FAULT = 'Watchdog';

test('every alert has its row on a page: what was planted, and how soon it fired', async () => {
  const lacking: string[] = [];
  let rows = 0;
  for (const { name, alerts } of MODULES) {
    const isPlatform = name === PLATFORM.name;
    const own = (await alerts?.())?.alerts.map((rule) => rule.name) ?? [];
    const rules = isPlatform ? [...own, ...ONLY_PROMETHEUS.map(({ alert }) => alert)] : own;
    const page = isPlatform ? PLATFORM.page : `docs/modules/${name}/alerts.md`;
    const text = existsSync(join(ROOT, page)) ? readFileSync(join(ROOT, page), 'utf8') : '';
    for (const rule of rules.filter((one) => one !== WITHOUT_FAULT)) {
      if (text.includes(`\n| \`${rule}\` | `)) rows++;
      else
        lacking.push(
          `${rule}: measure it with npm run bench:nano -- --only=alerts --parts=${rule}, and add it to ${page}`,
        );
    }
  }
  expect(lacking).toEqual([]);
  expect(rows).toBeGreaterThan(20);
});
