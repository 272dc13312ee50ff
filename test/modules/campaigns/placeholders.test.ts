import { expect, test } from 'vitest';
import { MAIL_BODY_CHARS_MAX } from '../../../src/modules/campaigns/limits.ts';
import { fillPlaceholders, refuseUnknownPlaceholders } from '../../../src/modules/campaigns/placeholders.ts';

const ONLY = 'only {{name}} and {{organisation}} are filled in.';

/** What its author is told; undefined when it is taken. */
function said(body: string): string | undefined {
  try {
    refuseUnknownPlaceholders({ body });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

test.each([
  'Hello {{name}} of {{organisation}}',
  'Hello {{ name }}, {{\tname\u00a0}} and {{\nname\n}}',
  '{{name}}{{name}}{{organisation}}',
  'A set {1, 2}, a smile :-{ and code: if (a) { b } else { c }',
  '{first} [name] <name> %name% $name { }',
  '{the name} {names} {organisations}',
  '',
])('is taken: %j', (text) => {
  expect(said(text)).toBeUndefined();
});

test.each([
  ['{{frist_name}}', `{{frist_name}} is not a placeholder: ${ONLY}`],
  ['{{email}} {{frist_name}} {{email}}', `{{email}} and {{frist_name}} are not placeholders: ${ONLY}`],
  ['Hello {{ first name }}', `{{ first name }} is not a placeholder: ${ONLY}`],
  ['{{}}', `{{}} is not a placeholder: ${ONLY}`],
  ['{{name', '{{name is not filled in: write {{name}}.'],
  ['Hello {{name, how are you?', `{{name, how are you? is not a placeholder: ${ONLY}`],
  ['name}}', `}} is not a placeholder: ${ONLY}`],
])('an unknown placeholder is named, with those that there are: %j', (text, words) => {
  expect(said(text)).toBe(words);
});

test.each([
  ['{{Name}}', 'name'],
  ['{{ NAME }}', 'name'],
  ['{{ORGANISATION}}', 'organisation'],
  ['{name}', 'name'],
  ['{ Organisation }', 'organisation'],
  ['{{name}', 'name'],
  ['{name}}', 'name'],
  ['{{na me}}', 'name'],
  ['｛｛name｝｝', 'name'],
  ['｛name｝', 'name'],
  ['{{ｎａｍｅ}}', 'name'],
  ['﹛﹛name﹜﹜', 'name'],
  ['{{na\u200bme}}', 'name'],
])('a near miss is told what to write: %j', (text, meant) => {
  expect(said(`Hello ${text}!`)).toBe(`${text.replace(/\s+/g, ' ')} is not filled in: write {{${meant}}}.`);
});

test.each([
  ['{{{name}}}', '{{{…}}}'],
  ['{{ {{name}} }}', '{{ {{…}} }}'],
  ['{{name{{name}}}}', '{{name{{…}}}}'],
  ['{ {{name}} }', '{ {{…}} }'],
])('braces around a placeholder are refused, because they would stay: %j', (text, shown) => {
  expect(said(text)).toBe(`${shown} is not a placeholder: ${ONLY}`);
});

test('very many are counted, and a very long one is cut, in no time', () => {
  const many = Array.from({ length: 500 }, (_, n) => `{{word${n}}}`).join(' ');
  expect(said(many)).toBe(`{{word0}}, {{word1}}, {{word2}} and 497 more are not placeholders: ${ONLY}`);
  expect(said(`{{${'ü'.repeat(200)}`)).toBe(`{{${'ü'.repeat(38)}… is not a placeholder: ${ONLY}`);
  const begin = performance.now();
  for (const piece of ['{', '}', '{{', '{a', '{ ', '}}{{', '\0', '{{name}}{'])
    said(piece.repeat(MAIL_BODY_CHARS_MAX / piece.length));
  expect(performance.now() - begin).toBeLessThan(1_000);
});

test('each field has a sentence of its own', () => {
  expect(() => refuseUnknownPlaceholders({ subject: '{{Name}}', body: '{{email}}' })).toThrow(
    expect.objectContaining({
      code: 'invalid',
      errors: [
        { path: 'body/subject', message: '{{Name}} is not filled in: write {{name}}.' },
        { path: 'body/body', message: `{{email}} is not a placeholder: ${ONLY}` },
      ],
    }),
  );
});

test('what is taken has no braces of a placeholder left when it is filled in', () => {
  const words = { name: 'Ada', organisation: 'Acme' };
  expect(fillPlaceholders('{{name}}, {{ organisation }}, {{\nname\n}}', words)).toBe('Ada, Acme, Ada');
});
