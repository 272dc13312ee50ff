import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { runAttack } from '../../bench/platform/attack.ts';
import { ATTACK, ATTACKS, type AttackName, type AttackPlan } from '../../bench/platform/attack-plan.ts';
import { ATTACK_COURSES } from '../../bench/platform/attacks.ts';
import { chosenAttacks } from '../../bench/scenarios/attacks.ts';
import { until } from '../database.ts';

const TELL = { onSample: () => undefined, onEvent: () => undefined };
const ACCOUNT = { token: 'A'.repeat(43), orgId: 1, email: 'ada@example.test', role: 'owner', password: 'x' } as const;

test.each(ATTACKS)('%s: all sockets come, and are gone when it is stopped', async (attack) => {
  const server = await listen((socket) => void socket.resume());
  const stop = new AbortController();
  const attacking = runAttack(planOf(attack, server.url), TELL, stop.signal);
  const { sockets } = ATTACK_COURSES[attack];
  await until('all have come', () => server.seen() >= sockets);
  stop.abort();
  expect((await attacking).connections).toBeGreaterThanOrEqual(sockets);
  await until('all have gone', () => server.open.size === 0);
});

test('those whom the server answers and ends come again, and their answers are counted', async () => {
  const server = await listen((socket) => void socket.once('data', () => socket.end('HTTP/1.1 413 Too Large\r\n\r\n')));
  const stop = new AbortController();
  const attacking = runAttack(planOf('brackets', server.url), TELL, stop.signal);
  const { sockets } = ATTACK_COURSES.brackets;
  await until('they come again', () => server.seen() > 2 * sockets);
  stop.abort();
  const { connections, answers } = await attacking;
  expect(connections).toBeGreaterThan(2 * sockets);
  expect(answers['413']).toBeGreaterThan(sockets);
});

test('who reads a byte a second reads no more than that', async () => {
  const server = await listen((socket) => void socket.write(Buffer.alloc(64 * 1024)));
  const stop = new AbortController();
  const begun = performance.now();
  const attacking = runAttack(planOf('a byte a second', server.url), TELL, stop.signal);
  await until('they have read something', () => server.open.size > 0);
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  stop.abort();
  const { bytesRead, connections } = await attacking;
  expect(bytesRead).toBeGreaterThan(0);
  const seconds = (performance.now() - begun) / 1_000;
  expect(bytesRead).toBeLessThanOrEqual((seconds + 2) * connections);
});

test('one attack can be tried by its name, and one that does not exist is refused', () => {
  expect(chosenAttacks(undefined)).toEqual(ATTACKS);
  expect(chosenAttacks(['sign-ins at once'])).toEqual(['sign-ins at once']);
  expect(() => chosenAttacks(['sing-ins'])).toThrow('There is no sing-ins');
});

function planOf(attack: AttackName, url: string): AttackPlan {
  return {
    kind: ATTACK,
    url,
    attack,
    accounts: [ACCOUNT],
    exports: ['/api/v1/exports/some.csv'],
    seed: 1,
    seconds: 30,
  };
}

async function listen(onSocket: (socket: Socket) => void) {
  const open = new Set<Socket>();
  let seen = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    seen++;
    open.add(socket);
    socket.on('error', () => undefined).once('close', () => open.delete(socket));
    socket.once('end', () => socket.end());
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { open, seen: () => seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
