import { describe, expect, test } from 'vitest';
import { inNoun, nounOf } from '../../../scripts/service/noun.ts';

test.each([
  ['invoices', 'invoice'],
  ['companies', 'company'],
  ['boxes', 'box'],
  ['processes', 'process'],
  ['horses', 'horse'],
])('one of the %s is called %s', (plural, singular) => {
  expect(nounOf(plural)).toEqual({ plural, singular });
});

test('a plural that no rule knows is told with its singular', () => {
  expect(nounOf('people', 'person')).toEqual({ plural: 'people', singular: 'person' });
  expect(() => nounOf('people')).toThrow('--singular=person');
});

test.each(['Invoices', 'in-voices', 'in voices', '../invoices', '', 'users', 'x'.repeat(41)])(
  '"%s" is refused with what to do',
  (name) => {
    expect(() => nounOf(name)).toThrow(/Choose another name|use one lower-case English word/);
  },
);

test('a singular that is a reserved word is refused: it names variables', () => {
  expect(() => nounOf('cases')).toThrow('"case" is a reserved word');
});

describe('the template with another noun in it', () => {
  const invoice = nounOf('invoices');

  test.each([
    ['notesPage(noteById, NOTES_MAX)', 'invoicesPage(invoiceById, INVOICES_MAX)'],
    ['type Note = Notes', 'type Invoice = Invoices'],
    ['There is no such note.', 'There is no such invoice.'],
    ['A note is a note', 'An invoice is an invoice'],
    ["'note.written': note_days", "'invoice.written': invoice_days"],
  ])('%s becomes %s', (before, after) => {
    expect(inNoun(before, invoice)).toBe(after);
  });

  test('the article stays where the noun begins with a consonant', () => {
    expect(inNoun('A note', nounOf('tickets'))).toBe('A ticket');
  });
});
