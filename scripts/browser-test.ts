/**
 * `npm run test:browser`: the product as a person uses it, in a real browser: test/browser, and the *.browser.test.ts of
 * each module. Arguments after `--` go to vitest: npm run test:browser -- story. Screenshots of every step:
 * test-results/screenshots/.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { chromiumProgram } from './embedded/chromium.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

try {
  const chromium = await chromiumProgram(process.env);
  const vitest = path.join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--config', 'vitest.browser.config.ts', ...process.argv.slice(2)];
  const env = { ...process.env, CHROMIUM_PATH: chromium };
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.once('exit', (code) => process.exit(code ?? 1));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
