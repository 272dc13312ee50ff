import { type CheckCall, type Checks, createOwners, runCheck } from '../../bench/load/checks.ts';

const owners = createOwners();

/** What a check says to an answer with this body. */
export function checkBody(checks: Checks, call: CheckCall, body: unknown): string | undefined {
  const isText = typeof body === 'string';
  const bytes = Buffer.from(isText ? body : JSON.stringify(body));
  const json = isText ? undefined : body;
  return runCheck(checks, call, { status: 200, headers: { 'read-after': '1:0/1' }, bytes, json }, owners);
}
