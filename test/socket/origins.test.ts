import { expect, test } from 'vitest';
import { createOriginCheck } from '../../src/socket/origins.ts';

const isOurs = createOriginCheck(['https://chat.example.test/', 'http://127.0.0.1:3001']);

test.each([
  undefined,
  'https://chat.example.test',
  'http://127.0.0.1:3001',
  'http://localhost:3001',
  'http://[::1]:3001',
])('%s may connect', (origin) => {
  expect(isOurs(origin)).toBe(true);
});

test.each([
  'http://chat.example.test',
  'https://chat.example.test:8443',
  'https://chat.example.test.evil.test',
  'https://localhost:3001',
  'http://localhost:3000',
  'http://127.0.0.2:3001',
  'null',
  '',
])('%s may not', (origin) => {
  expect(isOurs(origin)).toBe(false);
});
