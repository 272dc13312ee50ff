import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { whyNoOperatorTools } from '../../scripts/embedded/operator-tools.ts';
import { chooseAccount, handOver } from '../../scripts/embedded/postgres-account.ts';
import { rehearse } from '../../scripts/restore/rehearsal.ts';
import { isSound } from '../../scripts/restore/report.ts';
import { findTools } from '../../scripts/restore/tools.ts';

const DRILL_MS = 400_000;

test.skipIf(whyNoOperatorTools())(
  'a lost disk costs what the log had not archived yet, a moment before it comes back exactly, and every rule holds',
  { timeout: DRILL_MS },
  async () => {
    const folder = mkdtempSync('/var/tmp/drill-');
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    handOver(folder, chooseAccount());
    const { writes, latest, toTarget, targetWrite } = await rehearse({
      tools: await findTools(),
      folder,
      repository: { kind: 'folder', folder: join(folder, 'repository') },
      seedScale: 0.02,
      writeSeconds: 12,
      archiveSeconds: 3,
      say: () => undefined,
      stopped: new AbortController().signal,
    });
    expect(writes).toBeGreaterThan(100);
    expect(latest.lastWrite).toBeGreaterThan(targetWrite);
    expect(latest.missing).toBe(0);
    // archive_timeout, and the time that archiving itself takes.
    expect(latest.secondsBeforeLoss).toBeLessThan(9);
    expect([toTarget.lastWrite, toTarget.missing]).toEqual([targetWrite, 0]);
    expect([isSound(latest.report), isSound(toTarget.report)]).toEqual([true, true]);
  },
);
