import { expect, test } from 'vitest';
import { parseAddress, parseMailbox } from '../src/mail-address.ts';

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
