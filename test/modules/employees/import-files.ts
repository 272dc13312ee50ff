/**
 * Files as people have them, and what an import makes of each. docs/modules/employees/import-files.md is the same list
 * in words: import-files.test.ts holds the two together.
 */
import { csvLine } from '../../../src/http/csv-reply.ts';
import { encode } from './encode.ts';

export interface ImportFile {
  /** As the table in the documentation calls it. */
  readonly kind: string;
  readonly file: string | Buffer;
  readonly type?: string;
  /** The choices that the request makes. */
  readonly choices?: string;
  /** What becomes of it, in the table's words. */
  readonly becomes: string;
  /** `Name | address | team` of everybody who is there afterwards, in order of address. */
  /** Where it is not the number of people and rejections. */
  readonly rows?: number;
  readonly people?: readonly string[];
  readonly rejected?: readonly { readonly line: number; readonly reason: string }[];
  /** A part of the refusal. */
  readonly refused?: string;
}

const READ = 'read';
const LIST = 'contains a comma or a semicolon; write one address only';
const ADA = 'Ada Löwe | ada@a.test | Büro';
const BEN = 'Ben Größe | ben@a.test | Vertrieb';
const LINES = ['name,email,team', 'Ada Löwe,ada@a.test,Büro', 'Ben Größe,ben@a.test,Vertrieb'];
const PLAIN = ['name,email,team', 'Ada Lovelace,ada@a.test,Engines', 'Grace Hopper,grace@a.test,Compilers'];
const [HEAD = '', ONE = '', TWO = ''] = PLAIN;
const ENGINES = 'Ada Lovelace | ada@a.test | Engines';
const COMPILERS = 'Grace Hopper | grace@a.test | Compilers';
const both = { becomes: READ, people: [ENGINES, COMPILERS] };
const germans = { becomes: READ, people: [ADA, BEN] };

const lineEnds: ImportFile[] = [
  { kind: 'CRLF after the header, LF after the rows', file: `${HEAD}\r\n${ONE}\n${TWO}\n`, ...both },
  { kind: 'LF after the header, CRLF after the rows', file: `${HEAD}\n${ONE}\r\n${TWO}\r\n`, ...both },
  { kind: 'CR only, as old Macs write it', file: `${PLAIN.join('\r')}\r`, ...both },
  { kind: 'all three line ends in turn', file: `${HEAD}\r${ONE}\r\n${TWO}\n`, ...both },
  { kind: 'CR, CR, LF after each row', file: `${PLAIN.join('\r\r\n')}\r\r\n`, ...both },
  { kind: 'no line end after the last row', file: PLAIN.join('\r\n'), ...both },
  {
    kind: 'other line ends inside quotes than between the rows',
    file: `${HEAD}\r\n"Ada\nLovelace",ada@a.test,"Engines"\r\n"Grace\rHopper","grace@a.test","Compilers"\n`,
    becomes: 'read; a line break in a cell becomes a space',
    people: [ENGINES, COMPILERS],
  },
  {
    kind: 'a quote that is never closed',
    file: `${HEAD}\n${ONE}\n"Grace Hopper,grace@a.test,Compilers\nLynn,lynn@a.test,Chips\n`,
    becomes: 'the rows before it are kept; the rest is refused, and the error names the line',
    people: [ENGINES],
    refused: 'The row after line 2 opens a quote that is never closed',
  },
  {
    kind: 'a quote that closes some rows later',
    file: `${HEAD}\n"Grace Hopper,grace@a.test,Compilers\nLynn,lynn@a.test,Chips\n"Cleo",cleo@a.test,Chips\n${ONE}\n`,
    becomes: 'these rows are rejected together, by their lines; the others are read',
    people: [ENGINES],
    rejected: [{ line: 2, reason: 'opens a quote that ends only on line 4: lines 2 to 4 were not read' }],
  },
];

const columns: ImportFile[] = [
  {
    kind: 'a column “Employee” of personnel numbers before “Name”',
    file: 'Employee,Name,Email,Department\n10023,Ada Lovelace,ada@a.test,Engines\n10024,Grace Hopper,grace@a.test,Compilers\n',
    ...both,
  },
  {
    kind: 'a column “Name” of personnel numbers beside “Employee”',
    file: 'Name,Employee,Email,Department\n10023,Ada Lovelace,ada@a.test,Engines\n10024,Grace Hopper,grace@a.test,Compilers\n',
    ...both,
  },
  {
    kind: 'personnel numbers and no names',
    file: 'Personnel no.,Employee,Email\n1,10023,ada@a.test\n2,10024,grace@a.test\n',
    becomes: 'refused: the column has numbers in it',
    refused: 'holds numbers',
  },
  {
    kind: '“Work Email” beside “Email”',
    file: 'Email,Name,Work Email,Group,Department\nada@home.test,Ada Lovelace,ada@a.test,Union,Engines\n',
    becomes: 'the more exact title wins',
    people: [ENGINES],
  },
  {
    kind: 'a column “Name” of personnel numbers with letters',
    file: 'Name,Employee,Email,Team,Department\nE-10023,Ada Lovelace,ada@a.test,17,Engines\nE-10024,Grace Hopper,grace@a.test,18,Compilers\n',
    ...both,
  },
  {
    kind: 'a private address and a login beside the address',
    file: 'DisplayName,UserPrincipalName,mail,Private email,Department\nAda Lovelace,ada@x.test,ada@a.test,ada@home.test,Engines\nGrace Hopper,grace@x.test,grace@a.test,grace@home.test,Compilers\n',
    ...both,
  },
  {
    kind: 'the same title twice, with different addresses',
    file: 'Email,Name,Email,Team\nada@home.test,Ada Lovelace,ada@a.test,Engines\n',
    becomes: 'refused: both columns are named, and the request can choose',
    refused: 'Column 1 (Email) and column 3 (Email) could both be the email address',
  },
  {
    kind: 'the same title twice, and a choice',
    file: 'Email,Name,Email,Team\nada@home.test,Ada Lovelace,ada@a.test,Engines\n',
    choices: 'email=3',
    becomes: 'read as chosen',
    people: [ENGINES],
  },
  {
    kind: 'first and last name in two columns',
    file: 'Nachname;Vorname;E-Mail-Adresse;Abteilung\nLovelace;Ada;ada@a.test;Engines\nHopper;Grace;grace@a.test;Compilers\n',
    ...both,
  },
  {
    kind: 'German “Name” and “Vorname”',
    file: 'Name;Vorname;E-Mail;Abteilung\nLovelace;Ada;ada@a.test;Engines\nHopper;Grace;grace@a.test;Compilers\n',
    ...both,
  },
  {
    kind: 'Dutch “Tussenvoegsel” between “Voornaam” and “Achternaam”',
    file: 'Voornaam;Achternaam;Tussenvoegsel;E-mailadres;Afdeling\nJan;Berg;van der;jan@a.test;Engines\nAda;Smit;;ada@a.test;Engines\n',
    becomes: 'one name, in the order in which it is said',
    people: ['Ada Smit | ada@a.test | Engines', 'Jan van der Berg | jan@a.test | Engines'],
  },
  {
    kind: '“Name” that contains the “First name”',
    file: 'First name,Name,Email,Team\nAda,Ada Lovelace,ada@a.test,Engines\nGrace,Grace Hopper,grace@a.test,Compilers\n',
    ...both,
  },
  ...[
    'Nombre completo,Correo electrónico,Departamento',
    'Nom et prénom,Adresse e-mail,Équipe',
    'Imię i nazwisko,Adres e-mail,Dział',
    'Jméno a příjmení,E-mailová adresa,Oddělení',
    'ФИО,Электронная почта,Отдел',
    '氏名,メールアドレス,部署',
    '姓名,邮箱,部门',
    '이름,이메일,부서',
    'Ad Soyad,E-posta,Bölüm',
    'Nome completo,E-mail,Equipe',
    'Naam,E-mailadres,Afdeling',
    'Namn,E-postadress,Avdelning',
    'Ονοματεπώνυμο,Ηλεκτρονικό ταχυδρομείο,Τμήμα',
    'Name / Nom,E-Mail / Courriel,Team / Équipe',
    'Name (full),E-Mail (work),Team*',
    'نام و نام خانوادگی,ایمیل,تیم',
    'Enw,E-bost,Tîm',
    'Emri i plotë,Email,Departamenti',
    'სახელი და გვარი,ელფოსტა,გუნდი',
    'Անուն Ազգանուն,Էլ. փոստ,Թիմ',
  ].map((titles) => ({ kind: `the header “${titles}”`, file: `${titles}\n${ONE}\n${TWO}\n`, ...both })),
  {
    kind: 'lines above the header',
    file: `Staff list of 2026;;\r\n;;\r\n${PLAIN.join('\r\n').replaceAll(',', ';')}\r\n`,
    becomes: 'skipped',
    people: [ENGINES, COMPILERS],
  },
  {
    kind: 'no header',
    file: `${ONE}\n${TWO}\n`,
    becomes: 'refused, unless the request names the columns',
    refused: 'The first line has an email address in it',
  },
  {
    kind: 'no header, which the request says, but not where the names are',
    file: 'Ada,ada@a.test\nGrace,grace@a.test\n',
    choices: 'header=false',
    becomes: 'refused',
    refused: 'There is no header line (header=false), and no column name is chosen.',
  },
  {
    kind: 'no header, and the columns named',
    file: `${ONE}\n${TWO}\n`,
    choices: 'header=false&name=1&email=2&team=3',
    becomes: 'read as chosen',
    people: [ENGINES, COMPILERS],
  },
  ...['team=4', 'email=10000', 'name=1,9'].map((choices) => ({
    kind: `a column beyond the table, chosen (${choices})`,
    file: PLAIN.join('\n'),
    choices,
    becomes: 'refused, instead of a table without that column',
    refused: `Column ${choices.split(/[=,]/).at(-1)} was chosen, but the table has 3 columns.`,
  })),
  {
    kind: 'one column chosen for both parts of the name',
    file: PLAIN.join('\n'),
    choices: 'name=1,1',
    becomes: 'refused',
    refused: 'Column 1 was chosen twice for the name.',
  },
  {
    kind: 'an address in the column “Name” as well',
    file: 'Name,Email\nada@a.test,ada@a.test\n',
    becomes: 'refused: the column has addresses in it',
    refused: 'holds numbers or addresses, not names',
  },
  ...[
    ['colons between the columns', PLAIN.join('\n').replaceAll(',', ':')],
    ['quotes around each line as a whole', PLAIN.map((line) => `"${line}"`).join('\n')],
    ['the line `sep=,` above semicolons', `sep=,\n${PLAIN.join('\n').replaceAll(',', ';')}`],
  ].map(([kind = '', file = '']) => ({
    kind,
    file,
    becomes: 'refused, with what to choose',
    refused: 'The whole table is one column.',
  })),
];

const rows: ImportFile[] = [
  {
    kind: 'rows of nothing but delimiters',
    file: `Name;E-Mail;Team\r\n${`${';'.repeat(2)}\r\n`.repeat(300)}Ada Lovelace;ada@a.test;Engines\r\n;broken@a.test;Chips\r\n;;\r\n \u00a0; ;\r\n`,
    becomes: 'blank lines: neither counted nor rejected',
    people: [ENGINES],
    rejected: [{ line: 303, reason: 'has no name' }],
  },
  {
    kind: 'the end-of-file character of old systems on a line of its own',
    file: `${HEAD}\r\n${ONE}\r\n${TWO}\r\n\x1a`,
    ...both,
  },
  {
    kind: 'trailing delimiters',
    file: `${HEAD},,,\n${ONE},,,\n${TWO},,,\n`,
    ...both,
  },
  {
    kind: 'the header again in the middle, as files are put together',
    file: `${HEAD}\n${ONE}\n\uFEFFName,EMAIL,team\n${TWO}\n`,
    becomes: 'skipped',
    people: [ENGINES, COMPILERS],
  },
  {
    kind: 'a summary row',
    file: `${HEAD}\n${ONE}\n${TWO}\nTotal: 2,,\n`,
    becomes: 'rejected by its line',
    people: [ENGINES, COMPILERS],
    rejected: [{ line: 4, reason: 'has no email address' }],
  },
  {
    kind: 'NUL characters in one of many rows',
    file: `${HEAD}\n${ONE}\n${'\n'.repeat(2_000)}N\0ul,nul@a.test,Sales\n${TWO}\n`,
    becomes: 'that row is rejected by its line',
    people: [ENGINES, COMPILERS],
    rejected: [{ line: 2_003, reason: 'contains a NUL character' }],
  },
  {
    kind: 'the line `sep=;`',
    file: `sep=;\r\n${PLAIN.join('\r\n').replaceAll(',', ';')}\r\n;bad@a.test;\r\n`,
    becomes: 'believed',
    people: [ENGINES, COMPILERS],
    rejected: [{ line: 5, reason: 'has no name' }],
  },
  {
    kind: 'the line `sep=,` behind a byte order mark',
    file: `\uFEFFsep=,\r\n${PLAIN.join('\r\n')}\r\n`,
    becomes: 'believed',
    people: [ENGINES, COMPILERS],
  },
  {
    kind: 'the line `"sep=|"` in quotes',
    file: `"sep=|"\n${PLAIN.join('\n').replaceAll(',', '|')}\n`,
    becomes: 'believed',
    people: [ENGINES, COMPILERS],
  },
  {
    kind: 'the line `sep=` and a tab, in UTF-16',
    file: encode(`\uFEFFsep=\t\r\n${LINES.join('\r\n').replaceAll(',', '\t')}\r\n`, 'utf-16le'),
    becomes: 'believed',
    people: [ADA, BEN],
  },
  {
    kind: 'semicolons, although the header has more commas',
    file: 'Name;E-Mail;Team;Room, desk, phone, fax\nAda Lovelace;ada@a.test;Engines;1, 2, 3, 4\n',
    becomes: 'read: the delimiter is the one that gives the columns their titles',
    people: [ENGINES],
  },
  {
    kind: 'tabs, the first cell empty',
    file: '\tname\temail\tteam\n\tAda Lovelace\tada@a.test\tEngines\n\tGrace Hopper\tgrace@a.test\tCompilers\n',
    ...both,
  },
];

const encodings: ImportFile[] = [
  { kind: 'UTF-8', file: LINES.join('\n'), ...germans },
  { kind: 'UTF-8 with a byte order mark', file: `\uFEFF${LINES.join('\n')}`, ...germans },
  ...(['utf-16le', 'utf-16be'] as const).flatMap((encoding) => [
    {
      kind: `${encoding.toUpperCase()} with a byte order mark`,
      file: encode(`\uFEFF${LINES.join('\r\n')}`, encoding),
      ...germans,
    },
    { kind: `${encoding.toUpperCase()} without one`, file: encode(LINES.join('\r\n'), encoding), ...germans },
  ]),
  {
    kind: 'UTF-8 with one row in Latin-1',
    file: Buffer.concat([
      Buffer.from(`${LINES.join('\n')}\n`),
      Buffer.from('J\xf6rg,joerg@a.test,B\xfcro\n', 'latin1'),
      Buffer.from('Zoë,zoe@a.test,Büro\n'),
    ]),
    becomes: 'that row is rejected by its line, the others are read',
    people: [ADA, BEN, 'Zoë | zoe@a.test | Büro'],
    rejected: [{ line: 4, reason: 'contains characters that are not valid UTF-8' }],
  },
  {
    kind: 'Latin-1 with one row in UTF-8',
    file: Buffer.concat([
      Buffer.from(`${[...LINES, 'Zoë,zoe@a.test,Büro', 'Jörg,joerg@a.test,Büro'].join('\n')}\n`, 'latin1'),
      Buffer.from('Bärbel,baerbel@a.test,Büro\n'),
    ]),
    becomes: 'that row is rejected by its line, the others are read',
    people: [ADA, BEN, 'Jörg | joerg@a.test | Büro', 'Zoë | zoe@a.test | Büro'],
    rejected: [{ line: 6, reason: 'looks like UTF-8 that was read as another encoding: "BÃ¤rbel"' }],
  },
  {
    kind: 'windows-1252, as Excel saves “CSV” in Western Europe',
    file: encode(LINES.join('\r\n'), 'windows-1252'),
    ...germans,
  },
  {
    kind: 'windows-1252, French and Spanish',
    file: encode(
      'Nom;E-Mail;Équipe\r\nHélène Lefèvre;a@a.test;Comptabilité\r\nIñigo Peña;b@a.test;Crèche\r\n',
      'windows-1252',
    ),
    becomes: READ,
    people: ['Hélène Lefèvre | a@a.test | Comptabilité', 'Iñigo Peña | b@a.test | Crèche'],
  },
  ...(
    [
      ['windows-1250', 'Ime i prezime,E-pošta,Odjel', 'Željko Šarić'],
      ['windows-1254', 'Ad Soyad,E-posta,Bölüm', 'Işıl Öztürk'],
      ['windows-1253', 'Ονοματεπώνυμο,Email,Τμήμα', 'Νίκος Ψαρράς'],
    ] as const
  ).map(([encoding, titles, name]) => ({
    kind: `${encoding} (${name}), the titles too`,
    file: encode(`${titles}\r\n${name},a@a.test,X\r\n`, encoding),
    becomes: 'refused, with a guess; the page asks',
    refused: 'It is not UTF-8',
    people: [],
  })),
  ...(
    [
      ['windows-1250', 'Łukasz Żółć', 'Księgowość'],
      ['windows-1250', 'Jiří Dvořák', 'Účetnictví'],
      ['windows-1250', 'Erdős Pál', 'Könyvelés'],
      ['windows-1250', 'Szőke Éva', 'X'],
      ['windows-1251', 'Алексей Иванов', 'Бухгалтерия'],
      ['windows-1251', 'Ян', 'Ц'],
      ['windows-1253', 'Γιώργος Παπαδόπουλος', 'Λογιστήριο'],
      ['windows-1254', 'Ayşe Yıldız', 'Satış'],
      ['windows-1254', 'Çağla Şahin', 'Sales'],
      ['windows-1255', 'דוד כהן', 'הנהלה'],
      ['windows-1256', 'محمد علي', 'المحاسبة'],
      ['windows-1257', 'Jānis Bērziņš', 'Grāmatvedība'],
      ['koi8-r', 'Алексей Иванов', 'Бухгалтерия'],
      ['ibm866', 'Алексей Иванов', 'Бухгалтерия'],
      ['macintosh', 'Jürgen Größe', 'Büro'],
      ['shift_jis', '山田太郎', '営業'],
      ['euc-jp', '山田太郎', '営業部'],
      ['gb18030', '王小明', '财务部'],
      ['big5', '陳美玲', '財務部'],
      ['euc-kr', '김철수', '영업팀'],
    ] as const
  ).flatMap(([encoding, name, team]) => {
    const file = encode(`name,email,team\r\n${name},a@a.test,${team}\r\n`, encoding);
    const people = [`${name} | a@a.test | ${team}`];
    return [
      {
        kind: `${encoding} (${name})`,
        file,
        becomes: 'refused, with a guess; the page asks',
        refused: 'It is not UTF-8',
        people: [],
      },
      {
        kind: `${encoding} (${name}), named by the Content-Type`,
        file,
        type: `text/csv; charset=${encoding}`,
        becomes: READ,
        people,
      },
      { kind: `${encoding} (${name}), chosen`, file, choices: `encoding=${encoding}`, becomes: READ, people },
    ];
  }),
  {
    kind: 'UTF-8 under a Content-Type that says windows-1252',
    file: LINES.join('\n'),
    type: 'text/csv; charset=windows-1252',
    becomes: 'refused: the two contradict each other',
    refused: 'The Content-Type says windows-1252, but the file is UTF-8',
  },
  {
    kind: 'ASCII under a Content-Type that says UTF-16',
    file: PLAIN.join('\n'),
    type: 'text/csv; charset=utf-16',
    becomes: 'refused: the two contradict each other',
    refused: 'The Content-Type says utf-16le, but the file is UTF-8',
  },
  {
    kind: 'a wrong code page, chosen, that has no letter for a byte',
    file: Buffer.concat([Buffer.from(`${HEAD}\nJ`), Buffer.from([0x81]), Buffer.from(`rgen,j@a.test,X\n${ONE}\n`)]),
    choices: 'encoding=windows-1252',
    becomes: 'that row is rejected by its line, the others are read',
    people: [ENGINES],
    rejected: [{ line: 2, reason: 'contains characters that are not valid windows-1252' }],
  },
  {
    kind: 'a wrong code page, chosen, that has letters of nobody for a byte',
    file: Buffer.concat([encode(`${HEAD}\nBen Größe,ben@a.test,X\n`, 'windows-1252'), Buffer.from(`${ONE}\n`)]),
    choices: 'encoding=shift_jis',
    becomes: 'that row is rejected by its line, the others are read',
    people: [ENGINES],
    rejected: [{ line: 2, reason: 'contains characters that are not valid shift_jis' }],
  },
  {
    kind: 'UTF-8 with control characters where letters were',
    file: `${HEAD}\nPat O\u0092Brien,pat@a.test,X\n${ONE}\n`,
    becomes: 'that row is rejected by its line, the others are read',
    people: [ENGINES],
    rejected: [{ line: 2, reason: 'contains control characters: it was read in another encoding before' }],
  },
  {
    kind: 'a charset that does not exist',
    file: LINES.join('\n'),
    type: 'text/csv; charset=klingon-1',
    becomes: 'refused',
    refused: '"klingon-1" is not an encoding',
  },
];

const text: ImportFile[] = [
  {
    kind: 'one team name composed and decomposed (NFC and NFD), and in other case',
    file: `${HEAD}\nAda,ada@a.test,Büro Süd\nBen,ben@a.test,${'Büro Süd'.normalize('NFD')}\nCleo,cleo@a.test,BÜRO SÜD\n`,
    becomes: 'one team, written as at first',
    people: ['Ada | ada@a.test | Büro Süd', 'Ben | ben@a.test | Büro Süd', 'Cleo | cleo@a.test | Büro Süd'],
  },
  {
    kind: 'no-break spaces, tabs, zero-width characters, soft hyphens and bidi controls in names',
    file: `${HEAD}\n"\u00a0Ada\u00a0\tLove\u00adlace\u200b",ada@a.test,\u202eEngines\u202c\n`,
    becomes: 'removed; spaces become one',
    people: [ENGINES],
  },
  {
    kind: 'the same characters in an address',
    file: `${HEAD}\n${ONE}\nBen,ben\u200b@a.test,Engines\n`,
    becomes: 'the row is rejected by its line',
    people: [ENGINES],
    rejected: [{ line: 3, reason: '"ben\u200b@a.test" is not an email address: it contains an invisible character' }],
  },
  {
    kind: 'our own export, with formulas in it',
    file: `\uFEFF${[
      ['name', 'email', 'team'],
      ["=1+1 'Ada'", 'ada@a.test', 'fine;=1+1'],
    ]
      .map(csvLine)
      .join('')}`,
    becomes: 'the text that went out',
    people: ["=1+1 'Ada' | ada@a.test | fine;=1+1"],
  },
  {
    kind: 'one address in capitals and in small letters',
    file: `${HEAD}\nAda,ADA@A.test,Engines\nAda Lovelace,ada@a.test,Engines\n`,
    becomes: 'one person: the later row wins',
    rows: 2,
    people: [ENGINES],
  },
  {
    kind: 'lists, groups, comments and links where an address belongs',
    file: `${HEAD}\n${ONE}\nBen,"ada@a.test,ben@a.test",E\nCleo,"cleo@a.test,",E\nDan,dan@a.test;,E\nEve,mailto:eve@a.test,E\nFay,team:fay@a.test;,E\nGus,gus(work)@a.test,E\n`,
    becomes: 'each row is rejected by its line',
    people: [ENGINES],
    rejected: [
      ['ada@a.test,ben@a.test', LIST],
      ['cleo@a.test,', LIST],
      ['dan@a.test;', LIST],
      ['mailto:eve@a.test', 'starts with "mailto:"; leave that out'],
      ['team:fay@a.test;', LIST],
      ['gus(work)@a.test', 'contains a comment in brackets; leave that out'],
    ].map(([address, fault], row) => ({ line: row + 3, reason: `"${address}" is not an email address: it ${fault}` })),
  },
];

const others: ImportFile[] = [
  ...(
    [
      [
        'a web page, as many systems export “Excel”',
        '<html><table><tr><td>name,email</td></tr></table></html>',
        'HTML',
      ],
      [
        'the same without its beginning, in UTF-16',
        encode('\uFEFF<table>\n<tr><td>name</td></tr></table>', 'utf-16le'),
        'HTML',
      ],
      ['a spreadsheet in XML', '\uFEFF<?xml version="1.0"?>\n<Workbook><Row><Cell/></Row></Workbook>', 'XML'],
      ['JSON', '[{"name":"Ada","email":"ada@a.test"}]', 'JSON'],
      ['JSON, a line for each', '{"name":"Ada","email":"ada@a.test"}\n{"name":"Ben","email":"ben@a.test"}\n', 'JSON'],
      ['contacts as vCards', 'BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada\r\nEMAIL:ada@a.test\r\nEND:VCARD\r\n', 'a vCard'],
      ['a document in RTF', '{\\rtf1\\ansi name,email\\par Ada,ada@a.test}', 'a Rich Text document'],
      ['a gzip file', Buffer.from([0x1f, 0x8b, 8, 1, 2, 3]), 'a gzip file'],
    ] as const
  ).map(([kind, file, format]) => ({
    kind,
    file,
    becomes: 'refused by its name',
    refused: `This is ${format}, not a CSV file.`,
  })),
  ...['text/tab-separated-values', 'application/csv', 'text/x-csv', 'text/comma-separated-values'].map((type) => ({
    kind: `CSV sent as ${type}`,
    file: PLAIN.join('\n'),
    type,
    ...both,
  })),
];

/** Under the headings of the documentation. */
export const importFiles: Readonly<Record<string, readonly ImportFile[]>> = {
  'Line ends and quotes': lineEnds,
  'Columns and headers': columns,
  Rows: rows,
  Encodings: encodings,
  Text: text,
  'Other files': others,
};
