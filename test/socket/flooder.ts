/**
 * A process that floods a socket server, for tests: `node flooder.ts <port> <sockets> <opcode> <address>`. Each socket
 * writes as fast as the server reads, and comes back at once when it is cut off.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { frameOf, OPCODE, openTcp, upgradeRequest } from './socket-server.ts';

const [port = 0, sockets = 0, opcode = 0] = process.argv.slice(2, 5).map(Number);
const address = process.argv[5];
const CHUNK_FRAMES = 5_000;
const chunk = Buffer.concat(
  Array.from({ length: CHUNK_FRAMES }, () => frameOf(opcode, opcode === OPCODE.text ? '{}' : '')),
);

async function flood(): Promise<void> {
  for (;;) {
    const socket = await openTcp(port, address).catch(() => undefined);
    if (socket === undefined) {
      await sleep(10);
      continue;
    }
    const closed = new Promise((resolve) => socket.once('close', resolve).once('end', resolve));
    socket.write(upgradeRequest('/echo'));
    socket.on('data', () => undefined);
    const fill = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', fill);
    fill();
    await closed;
    socket.destroy();
  }
}

for (let socket = 0; socket < sockets; socket++) void flood();
process.stdout.write('flooding\n');
