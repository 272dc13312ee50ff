/**
 * `node program.ts`, in the chat's place and box: `POST /` with a block and a way answers with the block's figures. No
 * sockets: a person may send SOCKET_PER_10_SECONDS_MAX messages and no more, and what is measured is the storing.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { loadConfig } from '../../../../src/config.ts';
import { openDatabase } from '../../../../src/db/read-write-split.ts';
import { createLog } from '../../../../src/log.ts';
import { checkHeap } from '../../../../src/process/memory-limit.ts';
import { createMetrics } from '../../../../src/process/metrics.ts';
import { answerForAWhile, type Block } from './answer-loop.ts';
import { createWays, type Way } from './ways.ts';

const config = loadConfig();
const log = createLog('chat', config.logLevel);
checkHeap(log);
const metrics = createMetrics('chat');
const ways = createWays(openDatabase({ config, name: 'chat', log, metrics }), metrics);

createServer(async (request, response) => {
  if (request.method !== 'POST') return void response.end('ready');
  const { way, block } = JSON.parse(await bodyOf(request)) as { way: Way; block: Block };
  const figures = await answerForAWhile(ways[way], block);
  response.end(JSON.stringify(figures));
}).listen(config.chatPort, config.host);

/** A few hundred kilobytes of keys. */
async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
