/** The files of public fault reports, as they were reported, and what an import makes of each. */
import { readFileSync } from 'node:fs';
import type { ImportFile } from './import-files.ts';

type Reported = Omit<ImportFile, 'kind' | 'file'>;

const READ = 'read';
const BY_ITS_LINE = 'is rejected by its line, the others are read';
const ONE_ADDRESS = 'contains a comma or a semicolon; write one address only';
const GUESSED: Reported = { becomes: 'refused, with a guess; the page asks', refused: 'It is not UTF-8' };
const NUMBERED = Array.from({ length: 20 }, (_, n) => `Jürgen Größe ${n + 1} | j${n + 1}@utf.test | Büro Süd`);

const reported: Readonly<Record<string, readonly [what: string, given: Reported]>> = {
  'addresses-that-are-lists.csv': [
    'lists, groups, links and comments in the column of the addresses',
    {
      becomes: `each such row ${BY_ITS_LINE}`,
      people: ['Ben Boss | ben@corp.test | Board'],
      rejected: [
        { line: 3, reason: `"ada,ben@corp.test" is not an email address: it ${ONE_ADDRESS}` },
        { line: 4, reason: `"cleo@corp.test," is not an email address: it ${ONE_ADDRESS}` },
        { line: 5, reason: `"dan@corp.test;" is not an email address: it ${ONE_ADDRESS}` },
        { line: 6, reason: '"mailto:eve@corp.test" is not an email address: it starts with "mailto:"; leave that out' },
        { line: 7, reason: `"team:fay@corp.test;" is not an email address: it ${ONE_ADDRESS}` },
        {
          line: 8,
          reason: '"gus(work)@corp.test" is not an email address: it contains a comment in brackets; leave that out',
        },
      ],
    },
  ],
  'cr-only.csv': [
    'carriage returns as line ends',
    { becomes: READ, people: ['Ada Lovelace | ada@cr.test | Engines', 'Grace Hopper | grace@cr.test | Compilers'] },
  ],
  'employee-number-before-name.csv': [
    'a column “Employee” of numbers before the names',
    { becomes: READ, people: ['Ada Lovelace | ada@nr.test | Engines', 'Grace Hopper | grace@nr.test | Compilers'] },
  ],
  'formula-names.csv': [
    'names and teams that a spreadsheet would run',
    {
      becomes: 'read as the texts that they are; our own exports put an apostrophe before them',
      people: [
        '=HYPERLINK("http://evil.test","click") | a@formula.test | =1+1',
        'fine;=1+1 | b@formula.test | Engines',
        '＝1+1 | c@formula.test | Engines',
      ],
    },
  ],
  'mac-roman.csv': ['the code page of old Macs', GUESSED],
  'mixed-crlf-header-lf-rows.csv': [
    'CRLF after the header, LF after the rows',
    {
      becomes: READ,
      people: [
        'Ada Lovelace | ada@eol.test | Engines',
        'Grace Hopper | grace@eol.test | Compilers',
        'Lynn Conway | lynn@eol.test | Chips',
      ],
    },
  ],
  'nfc-and-nfd-teams.csv': [
    'one team composed and decomposed',
    {
      becomes: 'one team',
      people: [
        'Ada Nfc | ada@nf.test | Büro Süd',
        'Ben Nfd | ben@nf.test | Büro Süd',
        'Zoë Decomposed | zoe@nf.test | Büro Süd',
      ],
    },
  ],
  'same-header-twice.csv': [
    'two columns “Email” with different addresses',
    {
      becomes: 'refused: both columns are named, and the request can choose',
      refused: 'Column 1 (Email) and column 3 (Email) could both be the email address. Choose one of them.',
    },
  ],
  'sep-line-semicolon.csv': [
    'the line `sep=;` above the header',
    { becomes: READ, people: ['Ada Lovelace | ada@sep.test | Engines', 'Grace Hopper | grace@sep.test | Compilers'] },
  ],
  'shift-jis-japanese.csv': ['Japanese in Shift JIS', GUESSED],
  'ten-thousand-columns.csv': [
    'ten thousand columns',
    {
      becomes: 'refused, with what to do',
      refused:
        'The row on line 1 has more than 1,000 columns. Delete those that are not needed: the name, the email address and the team are enough.',
    },
  ],
  'trailing-delimiter-rows.csv': [
    'three hundred rows of nothing but delimiters',
    {
      becomes: 'blank lines: neither counted nor rejected; a row without a name is rejected by its line',
      people: [
        'Ada Lovelace | ada@blank.test | Engines',
        'Grace Hopper | grace@blank.test | Compilers',
        'Lynn Conway | lynn@blank.test | Chips',
      ],
      rejected: [{ line: 4, reason: 'has no name' }],
    },
  ],
  'utf8-one-latin1-row.csv': [
    'one row in Latin-1 among twenty in UTF-8',
    {
      becomes: `that row ${BY_ITS_LINE}`,
      people: NUMBERED,
      rejected: [{ line: 22, reason: 'contains characters that are not valid UTF-8' }],
    },
  ],
  'windows-1251-russian.csv': ['Russian in windows-1251', GUESSED],
};

export const reportedFiles: readonly ImportFile[] = Object.entries(reported).map(([name, [what, given]]) => ({
  kind: `\`${name}\`: ${what}`,
  file: name === 'ten-thousand-columns.csv' ? tenThousandColumns() : bytesOf(name),
  ...given,
}));

function bytesOf(name: string): Buffer {
  return readFileSync(new URL(`reported-files/${name}`, import.meta.url));
}

function tenThousandColumns(): string {
  const titles = Array.from({ length: 10_000 }, (_, n) => `c${n}`);
  return `name,email,team,${titles.join()}\nAda Lovelace,ada@wide.test,Engines${','.repeat(titles.length)}\n`;
}
