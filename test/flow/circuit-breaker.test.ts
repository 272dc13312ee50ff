import { expect, test } from 'vitest';
import { type CircuitBreaker, createCircuitBreaker, type Pass, type Refusal } from '../../src/flow/circuit-breaker.ts';

const WAIT = { min: 5_000, max: 60_000, share: 0.1 };

function breaker() {
  let time = 0;
  const clock = { now: () => time, random: () => 0.5 };
  const circuit = createCircuitBreaker<string>(() => WAIT, clock);
  const passes = (ms: number) => {
    time += ms;
  };
  return { circuit, passes };
}

function admitted(circuit: CircuitBreaker<string>): Pass<string> {
  const entered = circuit.enter();
  if (entered.refused) throw new Error('It was refused');
  return entered;
}

function refused(circuit: CircuitBreaker<string>): Refusal<string> {
  const entered = circuit.enter();
  if (!entered.refused) throw new Error('It was admitted');
  return entered;
}

test('calls pass while nothing fails', () => {
  const { circuit } = breaker();
  for (let call = 0; call < 3; call++) admitted(circuit).succeeded();
  expect(circuit.isOpen).toBe(false);
});

test('after a failure calls are refused at once, with the fault and the time to wait', () => {
  const { circuit, passes } = breaker();
  expect(admitted(circuit).failed('550')).toBe(5_000);
  passes(2_000);
  expect(refused(circuit)).toEqual({ refused: true, fault: '550', againInMs: 3_000 });
});

test('then one call probes, and the others are still refused until it has succeeded', () => {
  const { circuit, passes } = breaker();
  admitted(circuit).failed('550');
  passes(5_000);
  const probe = admitted(circuit);
  refused(circuit);
  probe.succeeded();
  admitted(circuit);
  admitted(circuit);
});

test('the waits are a share of the time since the first failure, between the two limits', () => {
  const { circuit, passes } = breaker();
  let waitMs = admitted(circuit).failed('550');
  const waits = [waitMs];
  for (let probe = 0; probe < 60; probe++) {
    passes(waitMs);
    waitMs = admitted(circuit).failed('550');
    waits.push(waitMs);
  }
  expect(waits.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 5_000));
  expect(waits.at(-1)).toBe(60_000);
  for (const [index, wait] of waits.slice(1).entries()) expect(wait).toBeLessThanOrEqual((waits[index] ?? 0) * 1.11);
});

test('a probe that was not made after all leaves the turn to the next call', () => {
  const { circuit, passes } = breaker();
  admitted(circuit).failed('550');
  passes(5_000);
  admitted(circuit).unused();
  admitted(circuit).succeeded();
  expect(circuit.isOpen).toBe(false);
});

test('calls that began before it opened neither close it nor prolong it', () => {
  const { circuit, passes } = breaker();
  const [first, second, third] = [admitted(circuit), admitted(circuit), admitted(circuit)];
  first.failed('550');
  second.succeeded();
  expect(circuit.isOpen).toBe(true);
  passes(1_000);
  expect(third.failed('550')).toBe(4_000);
  passes(4_000);
  admitted(circuit);
});

test('while a probe is under way others are told to come back soon, however long the wait between probes is', () => {
  let time = 0;
  const wait = { ...WAIT, probing: 100 };
  const circuit = createCircuitBreaker<string>(() => wait, { now: () => time, random: () => 0.5 });
  admitted(circuit).failed('550');
  time = 5_000;
  admitted(circuit);
  expect(refused(circuit).againInMs).toBe(100);
});
