import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { parseAddress, parseMailbox } from '../src/mail-address.ts';
import { createTestDatabase } from './database.ts';

test.each([
  ['ada@corp.test', 'ada@corp.test'],
  ['  Ada.Lovelace@Corp.Test ', 'ada.lovelace@corp.test'],
  ["o'neil+work@mail.corp.test", "o'neil+work@mail.corp.test"],
  ['{odd}!#$%&*/=?^_`|~-@corp.test', '{odd}!#$%&*/=?^_`|~-@corp.test'],
  ['a@b.co', 'a@b.co'],
  ['ada@münchen.test', 'ada@xn--mnchen-3ya.test'],
  ['ada@MÜNCHEN.test', 'ada@xn--mnchen-3ya.test'],
  ['ada@xn--mnchen-3ya.test', 'ada@xn--mnchen-3ya.test'],
  ['ada@例え.テスト', 'ada@xn--r8jz45g.xn--zckzah'],
  ['ada@3com.test', 'ada@3com.test'],
  ['Jürgen@corp.test', 'jürgen@corp.test'],
  ['ALİ@ŞİRKET.TEST', 'ali@xn--irket-idb.test'],
  ['ali\u0307@s\u0327irket.test', 'ali@xn--irket-idb.test'],
  ['\u212aate@corp.test', 'kate@corp.test'], // the sign of kelvins
  ['ju\u0308rgen@münchen.test', 'jürgen@xn--mnchen-3ya.test'],
  ['用户@例え.テスト', '用户@xn--r8jz45g.xn--zckzah'],
  ['почта.отдел@corp.test', 'почта.отдел@corp.test'],
  ['отдел.sales@corp.test', 'отдел.sales@corp.test'],
  ['иванов-it@corp.test', 'иванов-it@corp.test'],
  ['иванов_it+news@corp.test', 'иванов_it+news@corp.test'],
  ['отдел2@corp.test', 'отдел2@corp.test'],
  ['ada@почта.test', 'ada@xn--80a1acny.test'],
  ['田中taro@corp.test', '田中taro@corp.test'],
  ['อำนวย@corp.test', 'อำนวย@corp.test'], // am has a compatible form that nobody types
  ['ຄຳ@corp.test', 'ຄຳ@corp.test'],
  ['ΟΔΟΣ@corp.test', 'οδος@corp.test'],
  ['ΟΔΟΣ.ΑΘΗΝΑΣ@corp.test', 'οδος.αθηνας@corp.test'], // a sigma that ends a word, though no address
  ['a@ΟΔΟΣ.test', 'a@xn--pxavbq.test'], // in domains Σ is σ, as in browsers
  ['STRAẞE@STRAẞE.test', 'straße@xn--strae-oqa.test'],
])('%s is one mailbox', (text, address) => {
  expect(parseAddress(text)).toEqual({ address });
});

test.each([
  ['', 'is empty'],
  ['ada,ben@corp.test', 'comma'],
  ['ada@corp.test,', 'comma'],
  ['ada@corp.test;', 'semicolon'],
  ['ada@corp.test, ben@corp.test', 'comma'],
  ['mailto:eve@corp.test', 'mailto:'],
  ['MAILTO:eve@corp.test?subject=hi', 'mailto:'],
  ['team:fay@corp.test;', 'semicolon'],
  ['team:fay@corp.test', 'colon'],
  ['gus(work)@corp.test', 'comment'],
  ['"gus work"@corp.test', 'quotation mark'],
  ['gus\\@corp.test', 'backslash'],
  ['Gus <gus@corp.test>', 'brackets'],
  ['<gus@corp.test>', 'brackets'],
  ['gus@[127.0.0.1]', 'brackets'],
  ['gus work@corp.test', 'space'],
  ['gus@corp .test', 'space'],
  ['gus\u00a0@corp.test', 'invisible'],
  ['gus\u200b@corp.test', 'invisible'],
  ['gus@corp\u00ad.test', 'invisible'],
  ['gus@corp.test\u202e', 'invisible'],
  ['gus\r\nBcc: ben@corp.test', 'invisible'],
  ['gus\0@corp.test', 'invisible'],
  ['gus', 'no @'],
  ['gus@ben@corp.test', 'more than one @'],
  ['@corp.test', 'nothing before'],
  ['gus@', 'nothing after'],
  ['gus@corp.test.', 'ends with a dot'],
  ['ada😀@corp.test', 'wrong place'],
  ['ada€@corp.test', 'wrong place'],
  ['jürgen..x@corp.test', 'wrong place'],
  ['аda@corp.test', 'two alphabets'], // the first letter is Cyrillic
  ['ada@cοrp.test', 'two alphabets'], // the o is Greek
  ['paypa1а@corp.test', 'two alphabets'], // only the last letter is Cyrillic
  ['а1b@corp.test', 'two alphabets'],
  ["o'а@corp.test", 'two alphabets'],
  ['p&а@corp.test', 'two alphabets'],
  ['раураl@corp.test', 'two alphabets'], // only the last letter is Latin
  ['οо@corp.test', 'two alphabets'], // Greek and Cyrillic
  ['ꓑaypal@corp.test', 'two alphabets'], // a Lisu letter
  ['ⲣaypal@corp.test', 'two alphabets'], // a Coptic one
  ['ada@pay-раl.test', 'two alphabets'],
  ['ada@pay1-а.test', 'two alphabets'],
  ['ada@pay-а.test', 'two alphabets'], // in a domain, nobody tells words apart
  ['ada@𝐩аy.test', 'two alphabets'], // a mathematical p means the plain one
  ['ada@xn--pypal-4ve.test', 'two alphabets'], // pаypal
  ['ﬁona@corp.test', 'unusual form'],
  ['ａｄａ@corp.test', 'unusual form'],
  [`${'ü'.repeat(33)}@corp.test`, 'before the @'],
  ['.gus@corp.test', 'wrong place'],
  ['gus.@corp.test', 'wrong place'],
  ['g..us@corp.test', 'wrong place'],
  [`${'g'.repeat(65)}@corp.test`, 'before the @'],
  [`gus@${'corp.'.repeat(60)}test`, 'longer than'],
  ['gus@corp', 'domain'],
  ['gus@.corp.test', 'domain'],
  ['gus@corp..test', 'domain'],
  ['gus@-corp.test', 'domain'],
  ['gus@corp-.test', 'domain'],
  ['gus@corp_x.test', 'domain'],
  ['gus@127.0.0.1', 'domain'],
  ['gus@1.2', 'domain'],
  ['gus@ex%41mple.test', 'domain'],
  ['gus@corp.test!', 'domain'],
  ['gus@corp。test', 'domain'],
  [`gus@${'c'.repeat(64)}.test`, 'domain'],
  [`gus@${'ü'.repeat(62)}.test`, 'domain'],
])('%j is not, and the reason is in words', (text, fault) => {
  expect(parseAddress(text)).toEqual({ fault: expect.stringContaining(fault) });
});

test('PostgreSQL finds nothing to change in the case of an address, whatever letters it was written with', async () => {
  const { db, close } = await createTestDatabase({ replica: false });
  const { rows: theirs } = await sql<{ letter: string }>`
    select chr(n) as letter from generate_series(1, 1114111) as n
    where n not between 55296 and 57343 and (lower(chr(n)) <> chr(n) or upper(chr(n)) <> chr(n))`.execute(db);
  const ours = Array.from({ length: 0x110000 }, (_, n) => String.fromCodePoint(n)).filter(
    (letter) => letter.toLowerCase() !== letter || letter.toUpperCase() !== letter,
  );
  // What has a case for neither is left as it is by both.
  const cased = [...new Set([...theirs.map(({ letter }) => letter), ...ours])];
  const written = cased.flatMap((letter) => [letter, `${letter}${letter}`, `${letter}.${letter}`]);
  const read = written.map((local) => parseAddress(`${local}@corp.test`));
  const addresses = read.flatMap((parsed) => ('address' in parsed ? [parsed.address] : []));
  expect(addresses.length).toBeGreaterThan(5_000);
  const { rows } = await sql`
    select address, lower(address) from unnest(${addresses}::text[]) as given (address)
    where address <> lower(address)`.execute(db);
  expect(rows).toEqual([]);
  for (const address of addresses) expect(parseAddress(address)).toEqual({ address });
  await close();
});

test('a sender may have a name in front of its address, and nothing else', () => {
  expect(parseMailbox('Acme Letters <Hello@Acme.test>')).toEqual({
    name: 'Acme Letters',
    address: 'hello@acme.test',
  });
  expect(parseMailbox('"Acme" <hello@acme.test>')).toEqual({ name: 'Acme', address: 'hello@acme.test' });
  expect(parseMailbox('hello@acme.test')).toEqual({ name: '', address: 'hello@acme.test' });
  for (const text of [
    '',
    'Acme',
    'Acme <hello@acme.test>, Ben <ben@acme.test>',
    'ben@acme.test <hello@acme.test>',
    'Acme, Ben <hello@acme.test>',
    'Acme\r\nBcc: x <hello@acme.test>',
    'Acme\n<hello@acme.test>',
    'hello@acme.test\r',
    '<hello@acme.test>',
    'Acme <hello@acme.test> and more',
    'Acme <>',
    'Acme <grüße@acme.test>',
  ])
    expect(parseMailbox(text), text).toBeUndefined();
});
