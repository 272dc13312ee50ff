import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TICKETS_TURNOVER_SECONDS } from '../../src/limits.ts';
import { type Admission, admissionLimits, createAdmission, type Place } from '../../src/socket/admission.ts';
import type { Refusal } from '../../src/socket/refusal.ts';
import { until } from '../database.ts';
import { openSocket, type SocketClient } from './client.ts';
import { openRaw, openTcp, startSocketServer, type TestSocketServer, upgradeRequest } from './socket-server.ts';

describe('places', () => {
  let admission: Admission;
  const evicted: string[] = [];
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
    evicted.length = 0;
    admission = createAdmission({
      ...{ places: 6, placesPerAddress: 4, strangers: 3 },
      ...{ perSecond: 10, burst: 20 },
    });
  });
  afterEach(() => vi.useRealTimers());

  const enter = (address: string, name = '') => admission.enter(address, () => void evicted.push(name));
  function enterWelcomed(address: string): Place {
    const place = enter(address) as Place;
    place.setStranger(false);
    return place;
  }
  const statusOf = (entered: Place | Refusal) => ('status' in entered ? entered.status : 'in');

  test('when there are too many strangers, a new one takes the place of the oldest', () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) expect(statusOf(enter(name, name))).toBe('in');
    expect(evicted).toEqual(['a', 'b']);
    expect(admission.strangers).toBe(3);
  });

  test('an address gets tickets for all of its places at once, and for all of them again a little later', () => {
    const large = createAdmission({ ...admissionLimits(120), ...{ perSecond: 10, burst: 20 } });
    const admitted = (address: string) =>
      Array.from({ length: 200 }, () => large.admit(address)).filter((refusal) => refusal === undefined).length;
    expect([admitted('a'), admitted('b')]).toEqual([120, 120]);
    vi.advanceTimersByTime((TICKETS_TURNOVER_SECONDS * 1_000) / 4);
    expect(admitted('a')).toBe(30);
    vi.advanceTimersByTime(TICKETS_TURNOVER_SECONDS * 1_000);
    expect(admitted('a')).toBe(120);
    for (let n = 0; n < 30; n++) large.knock('c');
    expect([large.knock('c')?.status, admitted('c'), large.knock('b')]).toEqual([429, 120, undefined]);
  });

  test('when an address has all its places, a new one takes the place of its oldest stranger', () => {
    for (let n = 0; n < 2; n++) enterWelcomed('a');
    enter('b', 'other');
    for (const name of ['first', 'second']) expect(statusOf(enter('a', name))).toBe('in');
    expect(evicted).toEqual([]);
    expect(statusOf(enter('a', 'third'))).toBe('in');
    expect(evicted).toEqual(['first']);
  });

  test('a client that speaks or was welcomed loses its place to nobody', () => {
    const spoke = enter('a', 'spoke') as Place;
    spoke.setStranger(false);
    for (let n = 0; n < 6; n++) expect(statusOf(enter(`stranger ${n}`, 'stranger'))).toBe('in');
    expect(evicted).not.toContain('spoke');
    spoke.setStranger(true);
    for (let n = 0; n < 3; n++) enter(`stranger ${n}`, 'stranger');
    expect(evicted).toContain('spoke');
  });

  test('an address has a number of places, and others get theirs', () => {
    for (let n = 0; n < 4; n++) enterWelcomed('office');
    expect(statusOf(enter('office'))).toBe(429);
    expect(statusOf(enter('home'))).toBe('in');
  });

  test('when all places are taken by people, everybody else is told to come back', () => {
    for (const address of ['a', 'a', 'a', 'b', 'b', 'b']) enterWelcomed(address);
    expect(enter('c')).toEqual({ status: 503, retryAfterSeconds: expect.any(Number) });
  });

  test('who is known gets in while strangers of the same address knock too fast, and takes no place of theirs', () => {
    const knocks = Array.from({ length: 30 }, () => admission.knock('office'));
    expect(knocks.filter((refusal) => refusal?.status === 429)).toHaveLength(10);
    expect(statusOf(enter('office'))).toBe(429);
    const known = admission.enter('office', () => void evicted.push('known'), { isKnown: true });
    expect(statusOf(known)).toBe('in');
    for (let n = 0; n < 6; n++) expect(statusOf(enter(`stranger ${n}`, 'stranger'))).toBe('in');
    expect(admission.strangers).toBe(3);
    expect(evicted).not.toContain('known');
  });

  test('who is known takes the place of a stranger when all are taken, and is refused when all are taken by people', () => {
    for (const address of ['a', 'a', 'b', 'b']) enterWelcomed(address);
    for (const name of ['first', 'second']) enter(name, name);
    expect(admission.refusalOf('c')).toBeUndefined();
    for (const address of ['c', 'd'])
      expect(statusOf(admission.enter(address, () => undefined, { isKnown: true }))).toBe('in');
    expect(evicted).toEqual(['first', 'second']);
    expect(admission.refusalOf('c')?.status).toBe(503);
    expect(statusOf(admission.enter('c', () => undefined, { isKnown: true }))).toBe(503);
  });

  test('an address whose places are all taken by people is told so before it asks for one', () => {
    for (let n = 0; n < 3; n++) enterWelcomed('office');
    expect(admission.refusalOf('office')).toBeUndefined();
    const last = enterWelcomed('office');
    expect(admission.refusalOf('office')?.status).toBe(429);
    last.leave();
    expect(admission.refusalOf('office')).toBeUndefined();
  });

  test('a place that is left is free again, once', () => {
    const places = Array.from({ length: 4 }, () => enterWelcomed('a'));
    places[0]?.leave();
    places[0]?.leave();
    enterWelcomed('a');
    expect(statusOf(enter('a'))).toBe(429);
  });

  test('an address that opens sockets too fast is told to come back, and others are not', () => {
    const knock = (address: string) => {
      const entered = enter(address);
      if (!('status' in entered)) entered.leave();
      return statusOf(entered);
    };
    const first = Array.from({ length: 25 }, () => knock('fast'));
    expect(first).toEqual([...Array(20).fill('in'), ...Array(5).fill(429)]);
    expect(knock('slow')).toBe('in');
    vi.advanceTimersByTime(500);
    expect(Array.from({ length: 6 }, () => knock('fast'))).toEqual([...Array(5).fill('in'), 429]);
  });

  test('a fine counts as many new sockets', () => {
    (enter('a') as Place).fine(19);
    expect(statusOf(enter('a'))).toBe(429);
    vi.advanceTimersByTime(100);
    expect(statusOf(enter('a'))).toBe('in');
  });

  test('a key has a number of places, which are given back', () => {
    const [first, second, third] = ['a', 'b', 'c'].map((address) => enterWelcomed(address)) as [Place, Place, Place];
    expect([first, second, third].map((place) => place.join('link', 2))).toEqual([true, true, false]);
    expect(first.join('link', 2)).toBe(true);
    first.leave();
    expect(third.join('link', 2)).toBe(true);
    expect(second.join('another link', 2)).toBe(true);
    expect(enterWelcomed('d').join('link', 2)).toBe(true);
  });
});

describe('a server', () => {
  let server: TestSocketServer;
  afterEach(() => server.close());

  async function welcomed(options = {}): Promise<SocketClient> {
    const client = await openSocket(`${server.address}/echo`, options);
    client.say({});
    await client.heard((frame) => frame.type === 'echo');
    return client;
  }

  test('people get in and stay while strangers hold all the places that they can get', async () => {
    server = await startSocketServer({ admission: { places: 20, strangers: 5 } });
    const before = await welcomed();
    const strangers = [];
    for (let n = 0; n < 60; n++) strangers.push(await openRaw(server.port, `127.0.0.${2 + (n % 10)}`));
    const after = await welcomed();
    const text = await server.metrics.text();
    expect(Number(/^tardigrade_sockets\{.*\} (\d+)/m.exec(text)?.[1])).toBeLessThanOrEqual(7);
    for (const person of [before, after]) {
      person.say({ still: 'here' });
      await person.heard((frame) => JSON.stringify(frame).includes('still'));
    }
    for (const stranger of strangers) stranger.destroy();
  });

  test('one address cannot have all places', async () => {
    server = await startSocketServer({ admission: { placesPerAddress: 3 } });
    for (let n = 0; n < 3; n++) await welcomed();
    await expect(welcomed()).rejects.toThrow('429');
    await welcomed({ localAddress: '127.0.0.2' });
  });

  test('behind a proxy the address is the one that it forwards', async () => {
    server = await startSocketServer({ admission: { placesPerAddress: 1 }, proxyHops: 1 });
    const from = (address: string) => ({ headers: { 'X-Forwarded-For': `203.0.113.1, ${address}` } });
    await welcomed(from('198.51.100.7'));
    await welcomed(from('2001:db8::1'));
    await expect(welcomed(from('198.51.100.7'))).rejects.toThrow('429');
    await expect(welcomed(from('2001:db8::ffff'))).rejects.toThrow('429');
    await welcomed(from('2001:db8:0:1::1'));
  });

  test('the place of a client that is gone is free again', async () => {
    server = await startSocketServer({ admission: { placesPerAddress: 1 } });
    for (let n = 0; n < 3; n++) {
      const client = await welcomed();
      client.socket.terminate();
      await until('its place is free', async () => /tardigrade_sockets\{.*\} 0/.test(await server.metrics.text()));
    }
  });

  test('an upgrade that is not a WebSocket takes no place', async () => {
    server = await startSocketServer({ admission: { placesPerAddress: 1 } });
    const client = await openTcp(server.port);
    const answer = new Promise<string>((resolve) => client.once('data', (data) => resolve(String(data))));
    client.write(upgradeRequest('/echo', { 'Sec-WebSocket-Key': 'x' }));
    expect(await answer).toMatch(/^HTTP\/1\.1 400 /);
    await welcomed();
  });

  test('how many connections there are per key is limited by the handler', async () => {
    server = await startSocketServer({
      handler: {
        message: async (connection, message) => {
          connection.welcomed();
          connection.send({ joined: connection.join((message as { key: string }).key, 2) });
        },
      },
    });
    const join = async (key: string) => {
      const client = await openSocket(`${server.address}/echo`);
      client.say({ key });
      return (await client.heard(() => true))['joined'];
    };
    expect([await join('link'), await join('link'), await join('link'), await join('other')]).toEqual([
      ...[true, true, false, true],
    ]);
  });
});
