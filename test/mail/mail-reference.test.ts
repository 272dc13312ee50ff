import { expect, test } from 'vitest';
import { LOCAL_PART_CHARS_MAX } from '../../src/limits.ts';
import { bounceAddress, createReference, readReference } from '../../src/mail/mail-reference.ts';
import { parseAddress } from '../../src/mail-address.ts';

const KEY = 'a key of at least thirty-two characters';
const MAIL = { kind: 'note', target: { orgId: 3, id: 44 } };
const reference = createReference(KEY, MAIL);

test('a mail is known again by its reference, its Message-ID and the address of its bounce', () => {
  for (const text of [
    reference,
    `<${reference}@acme.test>`,
    `${reference}@acme.test`,
    bounceAddress(reference, 'b.acme.test'),
  ])
    expect(readReference(KEY, text)).toEqual(MAIL);
});

test('a server that writes addresses in capitals or in brackets changes nothing', () => {
  expect(readReference(KEY, ` <${bounceAddress(reference, 'B.ACME.test').toUpperCase()}> `)).toEqual(MAIL);
});

test.each([
  ['another organisation', reference.replace('note.3.', 'note.4.')],
  ['another row', reference.replace('.18.', '.19.')],
  ['another kind of mail', reference.replace('note', 'bill')],
  ['another key', createReference(`${KEY}!`, MAIL)],
  ['a signature that is cut off', reference.slice(0, -1)],
  ['nothing', ''],
  ['something long', `${reference}@${'a'.repeat(100_000)}`],
  ['a second address', `${reference}@a.test>,<b@b.test`],
])('%s is not believed', (_, text) => {
  expect(readReference(KEY, text)).toBeUndefined();
});

test('the longest address of a bounce is an address', () => {
  const most = createReference(KEY, {
    kind: 'ten-letter',
    target: { orgId: Number.MAX_SAFE_INTEGER, id: Number.MAX_SAFE_INTEGER },
  });
  const address = bounceAddress(most, 'bounces.acme.test');
  expect(address.indexOf('@')).toBeLessThanOrEqual(LOCAL_PART_CHARS_MAX);
  expect(parseAddress(address)).toEqual({ address });
});
