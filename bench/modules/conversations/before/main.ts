/** `node main.ts --parts=api,chat,mailer [--steps=replica,pages]`, with the environment of a worker. */
import { parseArgs } from 'node:util';
import { loadConfig } from '../../../../src/config.ts';
import { createLog } from '../../../../src/log.ts';
import { checkHeap } from '../../../../src/process/memory-limit.ts';
import { namesIn } from '../../../arguments.ts';
import { PARTS, type Part, STEPS, type Step, startBefore } from './start.ts';

const { values } = parseArgs({ options: { parts: { type: 'string' }, steps: { type: 'string' } } });
const config = loadConfig();
const log = createLog('before', config.logLevel);
checkHeap(log);
await startBefore(config, log, {
  parts: (namesIn(values.parts, PARTS) ?? PARTS) as readonly Part[],
  steps: (namesIn(values.steps || undefined, STEPS) ?? []) as readonly Step[],
});
log.info(values, 'ready');
