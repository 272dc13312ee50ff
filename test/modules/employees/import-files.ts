/**
 * Files as people have them, and what an import makes of each. docs/modules/employees/import-files.md is the same list
 * in words: import-files.test.ts holds the two together.
 */
import { csvLine } from '../../../src/http/csv-reply.ts';
import { encode } from './encode.ts';
import { reportedFiles } from './reported-files.ts';

export interface ImportFile {
  /** As the table in the documentation calls it. */
  readonly kind: string;
  readonly file: string | Buffer;
  readonly type?: string;
  /** The choices that the request makes. */
  readonly choices?: string;
  /** What becomes of it, in the table's words. */
  readonly becomes: string;
  /** Where it is not the number of people and rejections. */
  readonly rows?: number;
  /** `Name | address | team` of everybody who is there afterwards. */
  readonly people?: readonly string[];
  readonly rejected?: readonly { readonly line: number; readonly reason: string }[];
  /** A part of the refusal. */
  readonly refused?: string;
}

const READ = 'read';
const ABOVE = 'stands above the header line, so it was not read: move the header line to the top of the table';
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
    kind: 'more than a thousand columns',
    file: `${HEAD}${',x'.repeat(1_200)}\n${ONE}\n`,
    becomes: 'refused, with what to do',
    refused: 'The row on line 1 has more than 1,000 columns. Delete those that are not needed',
  },
  {
    kind: 'thousands of empty columns behind the table',
    file: `${HEAD}${','.repeat(10_000)}\n${ONE}${','.repeat(10_000)}\n${TWO}\n`,
    ...both,
  },
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
  {
    kind: 'Spanish and Mexican names with two surnames',
    file: 'Nombre;Primer apellido;Segundo apellido;Email;Equipo\nÍñigo;Peña;Ruiz;i@a.test;Ventas\nZoe;Gil;;z@a.test;Ventas\n',
    becomes: 'one name with both',
    people: ['Íñigo Peña Ruiz | i@a.test | Ventas', 'Zoe Gil | z@a.test | Ventas'],
  },
  {
    kind: '“Apellido paterno” and “Apellido materno”',
    file: 'Apellido paterno,Apellido materno,Nombres,Correo\nPérez,Gómez,Juan,j@a.test\n',
    becomes: 'one name with both',
    people: ['Juan Pérez Gómez | j@a.test | General'],
  },
  {
    kind: '“Rufname” and “Geburtsname” beside “Vorname” and “Familienname”',
    file: 'Familienname;Geburtsname;Vorname;Rufname;E-Mail;OE\nLöwe;Adler;Ada;Addi;ada@a.test;Büro\nGröße;;Ben;;ben@a.test;Vertrieb\n',
    ...germans,
  },
  {
    kind: '“Nom d’usage” and “Nom de naissance” beside “Prénom”',
    file: "Nom d'usage;Nom de naissance;Prénom;Email professionnel;Service\nLovelace;Byron;Ada;ada@a.test;Engines\nHopper;Murray;Grace;grace@a.test;Compilers\n",
    ...both,
  },
  {
    kind: '“Legal first name”, “Legal last name” and “Preferred first name”',
    file: 'Legal first name,Legal last name,Preferred first name,Work email,Personal email,Department\nAda,Lovelace,,ada@a.test,ada@home.test,Engines\nGrace,Hopper,Amazing,grace@a.test,,Compilers\n',
    ...both,
  },
  {
    kind: '“Last”, “First”',
    file: 'Last,First,Email,Team\nLovelace,Ada,ada@a.test,Engines\nHopper,Grace,grace@a.test,Compilers\n',
    ...both,
  },
  {
    kind: 'half of the name under a title that only contains a known one',
    file: 'First name,Surname at birth,Email\nAda,Byron,ada@a.test\n',
    becomes: 'refused, instead of losing that half; the request can choose',
    refused: 'column 2 (Surname at birth) may be the last name',
  },
  {
    kind: 'two first names that contradict each other',
    file: 'First name,Given name,Last name,Email\nAda,Augusta,Lovelace,ada@a.test\n',
    becomes: 'refused: both columns are named, and the request can choose',
    refused: 'Column 1 (First name) and column 2 (Given name) could both be the first name',
  },
  {
    kind: 'a column “Name” of logins beside “Employee”',
    file: 'Name,Employee,Email\nalovelace,Ada Lovelace,ada@a.test\nghopper,Grace Hopper,grace@a.test\n',
    becomes: 'refused: both columns are named, and the request can choose',
    refused: 'Column 1 (Name) and column 2 (Employee) could both be the name',
  },
  {
    kind: 'three columns chosen for the name',
    file: 'A,B,C,D\nvan der,Jan,jan@a.test,Berg\n',
    choices: 'name=2,1,4&email=3',
    becomes: 'read as chosen',
    people: ['Jan van der Berg | jan@a.test | General'],
  },
  {
    kind: 'titles that are broken into lines within their cells (“First⏎Name”)',
    file: '"First\nName","Last\nName","E-mail\nAddress","Team"\nAda,Lovelace,ada@a.test,Engines\nGrace,Hopper,grace@a.test,Compilers\n',
    ...both,
  },
  ...[
    ['“Name (First)” and “Name (Last)”', 'Name (First),Name (Last)'],
    ['“Name - First Name” and “Name - Last Name”', 'Name - First Name,Name - Last Name'],
    ['“Employee: First name” and “Employee: Last name”', 'Employee: First name,Employee: Last name'],
    ['“Employee⏎First Name” and “Employee⏎Last Name”', '"Employee\nFirst Name","Employee\nLast Name"'],
    ['“Name (First)” and “Surname”', 'Name (First),Surname'],
  ].map(([kind = '', titles = '']) => ({
    kind,
    file: `${titles},Email,Team\nAda,Lovelace,ada@a.test,Engines\nGrace,Hopper,grace@a.test,Compilers\n`,
    ...both,
  })),
  {
    kind: '“Employee” and its translation, “Nom”',
    file: 'Employee / Nom,Email / Courriel,Team (Équipe)\nAda Lovelace,ada@a.test,Engines\nGrace Hopper,grace@a.test,Compilers\n',
    ...both,
  },
  {
    kind: 'Dutch initials instead of the first name (“Voorletters”)',
    file: 'Voorletters;Voorvoegsel;Achternaam;E-mail;Afdeling\nJ.;van der;Berg;jan@a.test;Engines\nA.;;Smit;ada@a.test;Engines\n',
    becomes: 'one name, in the order in which it is said',
    people: ['A. Smit | ada@a.test | Engines', 'J. van der Berg | jan@a.test | Engines'],
  },
  {
    kind: 'initials beside the name',
    file: 'Name,Initials,Email,Team\nAda Lovelace,AL,ada@a.test,Engines\nGrace Hopper,GH,grace@a.test,Compilers\n',
    ...both,
  },
  {
    kind: 'an empty column “Team” beside “Department”',
    file: 'Name,Email,Team,Department\nAda Lovelace,ada@a.test,,Engines\nGrace Hopper,grace@a.test,,Compilers\n',
    ...both,
  },
  {
    kind: 'a private address, and others under a title that nobody knows',
    file: 'Name,Private email,Contact at work\nAda,ada@home.test,ada@a.test\nGrace,grace@home.test,grace@a.test\n',
    becomes: 'refused: both columns are named, and the request can choose',
    refused: 'Column 2 (Private email) and column 3 (Contact at work) could both be the email address',
  },
  {
    kind: 'nothing but private addresses',
    file: 'Name,Private email,Team\nAda Lovelace,ada@a.test,Engines\nGrace Hopper,grace@a.test,Compilers\n',
    ...both,
  },
  {
    kind: 'the manager’s name, and people’s own under a title that nobody knows',
    file: 'Name (Manager);Kollegium;E-Mail\nCarla Chef;Ada Löwe;ada@a.test\nCarla Chef;Ben Größe;ben@a.test\nCarla Chef;Cleo Klein;cleo@a.test\n',
    becomes: 'refused, instead of giving all people one name; the request can choose',
    refused: 'Column 1 (Name (Manager)) has the same names again and again',
  },
  {
    kind: 'a header of two lines, of which the upper one has merged cells (“Name” above “First” and “Last”)',
    file: 'Name,,Email,Team\nFirst,Last,Work,\nAda,Lovelace,ada@a.test,Engines\nGrace,Hopper,grace@a.test,Compilers\n',
    becomes: 'refused, instead of losing half of the name; the request can choose',
    refused: 'Column 1 (Name) has one word in most rows, and column 2 has no title: it may be the rest of the name',
  },
  {
    kind: 'the same, and the choice',
    file: 'Name,,Email,Team\nAda,Lovelace,ada@a.test,Engines\nGrace,Hopper,grace@a.test,Compilers\n',
    choices: 'name=1,2',
    becomes: 'read as chosen',
    people: [ENGINES, COMPILERS],
  },
  {
    kind: '“Nom d’usage” that most people have not, beside “Nom de naissance”',
    file: "Nom de naissance;Nom d'usage;Prénom;Email\nByron;Lovelace;Ada;ada@a.test\nMurray;;Grace;grace@a.test\nConway;;Lynn;lynn@a.test\n",
    becomes: 'refused, instead of losing that half; the request can choose',
    refused: 'column 1 (Nom de naissance) may be the last name',
  },
  ...[
    [
      '“Employee / Nom” that contains the “First name / Prénom”',
      'Employee / Nom,First name / Prénom',
      'Ada Lovelace,Ada',
      'Grace Hopper,Grace',
    ],
    ['“Name (Nom)” that contains the “Prénom”', 'Name (Nom),Prénom', 'Ada Lovelace,Ada', 'Grace Hopper,Grace'],
    [
      '“Employee / Nombre” that contains the “Apellido”',
      'Employee / Nombre,Apellido',
      'Ada Lovelace,Lovelace',
      'Grace Hopper,Hopper',
    ],
  ].map(([kind = '', titles = '', ada = '', grace = '']) => ({
    kind,
    file: `${titles},Email,Team\n${ada},ada@a.test,Engines\n${grace},grace@a.test,Compilers\n`,
    ...both,
  })),
  {
    kind: 'a last name that begins like the first one',
    file: 'Name (First),Name (Last),Email,Team\nJan,Janssen,jan@a.test,Engines\n',
    becomes: READ,
    people: ['Jan Janssen | jan@a.test | Engines'],
  },
  ...[
    ['Beschäftigte: Vorname', 'Beschäftigte: Name', 'last name'],
    ['Colleague - First name', 'Colleague - Name', 'last name'],
    ['Colleague - Last name', 'Colleague - Name', 'first name'],
  ].map(([half = '', rest = '', called = '']) => ({
    kind: `“${rest}” without the name that is under “${half}”`,
    file: `${half};${rest};E-Mail\n${called === 'last name' ? 'Ada;Lovelace' : 'Lovelace;Ada'};ada@a.test\n`,
    becomes: 'refused, instead of losing half of the name; the request can choose',
    refused: `Column 1 (${half}) is a part of the name, and column 2 (${rest}) may be the ${called}. Choose the columns of the name.`,
  })),
  {
    kind: 'a preferred first name of a few',
    file: 'Employee name,Preferred first name,Email,Team\nAda Lovelace,,ada@a.test,Engines\nGrace Hopper,,grace@a.test,Compilers\nRobert Smith,Bob,bob@a.test,Engines\n',
    becomes: READ,
    people: [ENGINES, COMPILERS, 'Robert Smith | bob@a.test | Engines'],
  },
  ...['Emergency contact email', 'Manager email', 'E-Mail (Vorgesetzte)'].map((title) => ({
    kind: `a private address beside “${title}”`,
    file: `Name,Personal email,${title},Team\nAda Lovelace,ada@a.test,carla@a.test,Engines\nGrace Hopper,grace@a.test,charles@a.test,Compilers\n`,
    ...both,
  })),
  {
    kind: 'the manager’s name and address beside people’s own, under titles that are as good',
    file: 'Name (Manager),Employee name,E-Mail (Manager),Login,Team\nCarla,Ada Lovelace,carla@a.test,ada@a.test,Engines\nCharles,Grace Hopper,charles@a.test,grace@a.test,Compilers\n',
    ...both,
  },
  {
    kind: 'a row for each course of a person',
    file: 'Full name (legal),Email,Course\nAda,ada@a.test,1\nAda,ada@a.test,2\nBen,ben@a.test,1\nBen,ben@a.test,2\n',
    becomes: READ,
    rows: 4,
    people: ['Ada | ada@a.test | General', 'Ben | ben@a.test | General'],
  },
  {
    kind: 'the rest of names behind an empty title, and one first name of two words',
    file: 'Name,,Email\nAda,Lovelace,ada@a.test\nMary Ann,Evans,mary@a.test\nGrace,Hopper,grace@a.test\nLynn,Conway,lynn@a.test\nCleo,Nin1,cleo@a.test\n',
    becomes: 'refused, instead of losing half of the name; the request can choose',
    refused: 'column 2 has no title: it may be the rest of the name',
  },
  {
    kind: 'the rest of Chinese names behind an empty title',
    file: '姓名,,邮箱\n李,雷,li@a.test\n韩,梅,han@a.test\n',
    becomes: 'refused, instead of losing half of the name; the request can choose',
    refused: 'column 2 has no title: it may be the rest of the name',
  },
  {
    kind: 'a few words again and again behind an empty title',
    file: 'Name,,Email\nAda,active,ada@a.test\nBen,left,ben@a.test\nCleo,active,cleo@a.test\nDan,left,dan@a.test\n',
    becomes: READ,
    people: ['Ada', 'Ben', 'Cleo', 'Dan'].map((name) => `${name} | ${name.toLowerCase()}@a.test | General`),
  },
  {
    kind: 'titles of nobody',
    file: 'Name 1;Name 2;E-Mail\nAda;Lovelace;ada@a.test\n',
    becomes: 'refused, with what to choose',
    refused: 'choose them by their numbers (name=1, email=2, team=3; a first and a last name: name=1,2)',
  },
  {
    kind: 'merged cells in the column “Team”: only the first row of each team has it',
    file: 'Team,Name,Email\nEngines,Ada,ada@a.test\n,Ben,ben@a.test\n,Cleo,cleo@a.test\nCompilers,Grace,grace@a.test\n,Hal,hal@a.test\n',
    becomes: 'refused, instead of putting the others into no team; the request can choose',
    refused: 'Column 1 (Team) has each team only once, as merged cells have',
  },
  {
    kind: 'the same, and the choice',
    file: 'Team,Name,Email\nEngines,Ada,ada@a.test\n,Ben,ben@a.test\nCompilers,Grace,grace@a.test\n,Hal,hal@a.test\n',
    choices: 'team=1',
    becomes: 'read as chosen',
    people: [
      'Ada | ada@a.test | Engines',
      'Ben | ben@a.test | General',
      'Grace | grace@a.test | Compilers',
      'Hal | hal@a.test | General',
    ],
  },
  {
    kind: 'the header line sorted in among the rows',
    file: `${ONE}\n${TWO}\n${HEAD}\nZoe,zoe@a.test,Chips\n`,
    becomes: 'the people above it are rejected by their lines, instead of being taken for notes',
    people: ['Zoe | zoe@a.test | Chips'],
    rejected: [1, 2].map((line) => ({ line, reason: ABOVE })),
  },
  {
    kind: 'the header line below the rows',
    file: `${ONE}\n${TWO}\n${HEAD}\n`,
    becomes: 'the same',
    rejected: [1, 2].map((line) => ({ line, reason: ABOVE })),
  },
  {
    kind: 'a page of notes above the header, one with an address in it',
    file: `All workers,,\nQuestions: hr@a.test,,\n${'Filter: active,,\n'.repeat(20)}${HEAD}\n${ONE}\n`,
    becomes: 'skipped',
    people: [ENGINES],
  },
  {
    kind: 'a byte order mark that was taken for letters (“ï»¿"name"”)',
    file: `ï»¿"name","email","team"\n${ONE}\n${TWO}\n`,
    ...both,
  },
  {
    kind: 'a NUL character in a title',
    file: `name,email,te\0am\n${ONE}\n${'\n'.repeat(2_000)}${TWO}\n`,
    ...both,
  },
  {
    kind: 'a NUL character in a title that nobody knows',
    file: `n\0xx,email,team\n${ONE}\n${'\n'.repeat(2_000)}${TWO}\n`,
    becomes: 'refused',
    refused: 'The header line has no column name. Found: nxx, email, team.',
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
    kind: 'rows of a number and of tick boxes that were drawn down (3,,,FALSE)',
    file: `No.,name,email,team,active\n1,Ada Lovelace,ada@a.test,Engines,TRUE\n2,Grace Hopper,grace@a.test,Compilers,FALSE\n${Array.from({ length: 300 }, (_, n) => `${n + 3},,,,FALSE\n`).join('')}303,,,,on leave\n`,
    becomes: 'blank lines: neither counted nor rejected',
    people: [ENGINES, COMPILERS],
    rejected: [{ line: 304, reason: 'has no name' }],
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

const manyGermans = (count: number) => 'Jürgen Müller,j@a.test,München\n'.repeat(count);

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
  ...(
    [
      ['José', 'Jos\x82'],
      ['Malmö AB', 'Malm\x94 AB'],
      ['Weiß', 'Wei\xe1'],
      ['Straße', 'Stra\xe1e'],
    ] as const
  ).map(([name, bytes]) => ({
    kind: `the code page of DOS (${name}), which could be windows-1252`,
    file: Buffer.from(`name,email,team\n${bytes},a@a.test,IT\n`, 'latin1'),
    becomes: 'refused, with a guess; the page asks',
    refused: 'It is not UTF-8',
  })),
  {
    kind: 'windows-1250: Polish names behind hundreds of German ones',
    file: encode(`${HEAD}\n${manyGermans(400)}Łukasz Żółć,l@a.test,Gdańsk\n`, 'windows-1250'),
    becomes: 'refused, with a guess; the page asks',
    refused: 'It is not UTF-8',
  },
  {
    kind: 'windows-1250: Polish names behind the first 64 kB',
    file: encode(`${HEAD}\n${manyGermans(4_000)}Łukasz Żółć,l@a.test,Gdańsk\n`, 'windows-1250'),
    becomes: 'that row is rejected by its line, the others are read; the request can choose',
    people: ['Jürgen Müller | j@a.test | München'],
    rows: 4_001,
    rejected: [
      {
        line: 4_002,
        reason:
          'does not look like windows-1252, the encoding that the beginning of the file was taken for: "£ukasz ¯ó³æ". If it is right, send the file again with encoding=windows-1252; otherwise choose the encoding of the file',
      },
    ],
  },
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
    kind: 'names of 100 emoji and of 61 rare Chinese characters, of two UTF-16 units each',
    file: `${HEAD}\n${'😀'.repeat(100)},a@a.test,IT\n${'𠮷'.repeat(61)},b@a.test,IT\n${'𠮷'.repeat(121)},c@a.test,IT\n`,
    becomes: 'read: lengths are counted in characters',
    people: [`${'😀'.repeat(100)} | a@a.test | IT`, `${'𠮷'.repeat(61)} | b@a.test | IT`],
    rejected: [{ line: 4, reason: 'the name is longer than 120 characters' }],
  },
  {
    kind: 'an empty line before and after the address, within its cell',
    file: `${HEAD}\n${ONE}\nGrace Hopper,"\ngrace@a.test\n",Compilers\n`,
    ...both,
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
    kind: 'one address as a Turkish spreadsheet writes it in capitals, and in small letters',
    file: `${HEAD}\nAda,ALİ@ŞİRKET.TEST,Engines\nAda Lovelace,ali@şirket.test,Engines\n`,
    becomes: 'one person: the later row wins',
    rows: 2,
    people: ['Ada Lovelace | ali@xn--irket-idb.test | Engines'],
  },
  {
    kind: 'an address that ends with a dot',
    file: `${HEAD}\n${ONE}\nBen,ben@a.test.,Engines\n`,
    becomes: 'the row is rejected by its line',
    people: [ENGINES],
    rejected: [{ line: 3, reason: '"ben@a.test." is not an email address: it ends with a dot; leave that out' }],
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
      ['a web page that begins with a comment', '<!-- session ended -->\n<!DOCTYPE html>\n<html></html>', 'HTML'],
      ['a spreadsheet in XML', '\uFEFF<?xml version="1.0"?>\n<Workbook><Row><Cell/></Row></Workbook>', 'XML'],
      ['JSON', '[{"name":"Ada","email":"ada@a.test"}]', 'JSON'],
      ['JSON of lists', '[\n  ["name", "email"],\n  ["Ada", "ada@a.test"]\n]\n', 'JSON'],
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
const CODE = 'the program that exported it wrote a code instead of a character';
const LOST = 'the program that exported it has lost a letter there';
const QUOTED = 'has more cells than the header line: a text with "," in it must be in quotes';
const inCentralEurope = (name: string): ImportFile => ({
  kind: `windows-1250 (${name}), which could be French or Danish`,
  file: encode(`name,email,team\nAda Berg,ada@a.test,IT\n${name},b@a.test,IT\n`, 'windows-1250'),
  becomes: 'refused, with a guess; the page asks',
  refused: 'It is not UTF-8',
});

/** What programs write around a text, or instead of it. */
const programs: ImportFile[] = [
  {
    kind: '`="Ada"`, with which a cell is a text to Excel',
    file: 'Name,Email,Team\n="Ada Lovelace",="ada@a.test",="Engines"\n"=""Grace Hopper""",grace@a.test,Compilers\n',
    becomes: 'the text in it',
    people: [ENGINES, COMPILERS],
  },
  {
    kind: 'lookups that found nothing (#NV, #N/A, #BEZUG!, #¡REF!)',
    file: 'Name;E-Mail;Team\n#NV;a@a.test;IT\nBen;b@a.test;#N/A\nCleo;c@a.test;#BEZUG!\nDan;d@a.test;#¡REF!\nEve;e@a.test;#HR\n',
    becomes: 'each row is rejected by its line',
    people: ['Eve | e@a.test | #HR'],
    rejected: ['#NV', '#N/A', '#BEZUG!', '#¡REF!'].map((error, n) => ({
      line: n + 2,
      reason: `has an error of the spreadsheet in it: "${error}"`,
    })),
  },
  {
    kind: 'NULL, \\N, (null), n/a and dashes for nothing',
    file: 'name,email,team\nNULL,a@a.test,IT\nBen,b@a.test,NULL\nCleo,c@a.test,\\N\nDan,d@a.test,(null)\nEve,e@a.test,–\nFay,n/a,IT\nAnna Null,g@a.test,n/a\n',
    becomes: 'read as empty; a person may be called Null',
    people: [
      'Ben | b@a.test | General',
      'Cleo | c@a.test | General',
      'Dan | d@a.test | General',
      'Eve | e@a.test | General',
      'Anna Null | g@a.test | General',
    ],
    rejected: [
      { line: 2, reason: 'has no name' },
      { line: 7, reason: 'has no email address' },
    ],
  },
  {
    kind: 'HTML in cells (`J&uuml;rgen`, `O&#39;Brien`, `R&amp;D`)',
    file: 'name,email,team\nJ&uuml;rgen,a@a.test,IT\nO&#39;Brien,b@a.test,IT\nCleo,c@a.test,R&amp;D\nDan,d@a.test,R&D; more\n',
    becomes: 'each row is rejected by its line',
    people: ['Dan | d@a.test | R&D; more'],
    rejected: ['&uuml;', '&#39;', '&amp;'].map((code, n) => ({ line: n + 2, reason: `contains "${code}": ${CODE}` })),
  },
  {
    kind: 'escapes of JSON, mail and addresses (`J\\u00fcrgen`, `=C3=BC`, `%C3%BC`)',
    file: 'name,email\nJ\\u00fcrgen,a@a.test\n=?utf-8?Q?J=C3=BCrgen?=,b@a.test\nM=C3=BCller,c@a.test\nM%C3%BCller,d@a.test\n',
    becomes: 'each row is rejected by its line',
    rejected: ['\\u00fc', '=?utf-8?Q?', '=C3=BC', '%C3%BC'].map((code, n) => ({
      line: n + 2,
      reason: `contains "${code}": ${CODE}`,
    })),
  },
  {
    kind: 'question marks where letters were (`J?rgen`, `?zge`, `????`)',
    file: 'name,email,team\nJ?rgen M?ller,a@a.test,IT\n?zge Kaya,b@a.test,IT\n???? ??????,c@a.test,IT\nDan,d@a.test,B?ro\nEve,e@a.test,Why us?\n',
    becomes: 'each row is rejected by its line',
    people: ['Eve | e@a.test | Why us?'],
    rejected: ['J?rgen', '?zge', '????', 'B?ro'].map((word, n) => ({
      line: n + 2,
      reason: `contains a question mark inside a word ("${word}"): ${LOST}`,
    })),
  },
  {
    kind: "other quotes around a text than those of CSV (`'Ada'`, “Ada”, «Ada»)",
    file: "name,email,team\n'Ada Lovelace',ada@a.test,«Engines»\n“Grace Hopper”,grace@a.test,„Compilers“\n",
    becomes: 'the text in them',
    people: [ENGINES, COMPILERS],
  },
  {
    kind: 'quotes that are escaped by a backslash',
    file: 'name,email,team\n"Ada \\"Ace\\" Lovelace","ada@a.test","Engines"\n"Grace Hopper","grace@a.test","Compilers"\n',
    becomes: READ,
    people: ['Ada "Ace" Lovelace | ada@a.test | Engines', COMPILERS],
  },
  {
    kind: '“Lovelace, Ada” in one column',
    file: 'Name;E-Mail;Team\n"Lovelace, Ada";ada@a.test;Engines\nHopper, Grace;grace@a.test;Compilers\n',
    becomes: 'the first name first, as mails greet people',
    people: [ENGINES, COMPILERS],
  },
  {
    kind: 'one name with a comma among others',
    file: 'Name;E-Mail;Team\nAda Lovelace;ada@a.test;Engines\nKing, Jr.;king@a.test;Engines\nGrace Hopper;grace@a.test;Compilers\n',
    becomes: READ,
    people: [ENGINES, COMPILERS, 'King, Jr. | king@a.test | Engines'],
  },
  {
    kind: 'the address behind the name as well (`Ada Lovelace <ada@…>`)',
    file: 'Name;E-Mail;Team\nAda Lovelace <ada@a.test>;ada@a.test;Engines\nGrace Hopper (grace@a.test);grace@a.test;Compilers\n',
    becomes: 'the name without it',
    people: [ENGINES, COMPILERS],
  },
  {
    kind: 'a text with a comma in it, without quotes, behind the address',
    file: `${HEAD}\n${ONE}\nBen,ben@a.test,Sales, EMEA\n${TWO}\n`,
    becomes: 'that row is rejected by its line, instead of losing the end of the text',
    people: [ENGINES, COMPILERS],
    rejected: [{ line: 3, reason: QUOTED }],
  },
  {
    kind: 'an address with the apostrophe that makes a cell a text',
    file: `${HEAD}\nAda Lovelace,'ada@a.test,Engines\nPat,'o'neil@a.test,IT\nGrace Hopper,’grace@a.test,Compilers\n`,
    becomes: 'the address without it',
    people: [ENGINES, COMPILERS, "Pat | o'neil@a.test | IT"],
  },
  {
    kind: 'errors of LibreOffice and of data that has not arrived (Err:502, #GETTING_DATA)',
    file: `${HEAD}\n${ONE}\nErr:502,b@a.test,IT\nCleo,c@a.test,#GETTING_DATA\nDan,d@a.test,Fehler:508\nEve,e@a.test,Room:502\n`,
    becomes: 'each row is rejected by its line',
    people: [ENGINES, 'Eve | e@a.test | Room:502'],
    rejected: ['Err:502', '#GETTING_DATA', 'Fehler:508'].map((error, n) => ({
      line: n + 3,
      reason: `has an error of the spreadsheet in it: "${error}"`,
    })),
  },
  {
    kind: 'undefined, NaN, None and null, as programs write nothing',
    file: 'name,email,team\nundefined,a@a.test,IT\n[object Object],b@a.test,IT\nCleo,c@a.test,undefined\nDan,d@a.test,NaN\nEve,e@a.test,None\nFay,f@a.test,null\nNan None,g@a.test,<NA>\n',
    becomes: 'read as empty',
    people: ['Cleo', 'Dan', 'Eve', 'Fay', 'Nan None'].map((name, n) => `${name} | ${'cdefg'[n]}@a.test | General`),
    rejected: [2, 3].map((line) => ({ line, reason: 'has no name' })),
  },
  {
    kind: 'decimal commas between commas, in most rows and before the team',
    file: 'Name,Email,Salary,Team\nAda Lovelace,ada@a.test,"1.234,50",Engines\nBen,ben@a.test,1234,50,IT\nCleo,cleo@a.test,-999,5,IT\nDan,dan@a.test,12,00,HR\n',
    becomes: 'these rows are rejected by their lines, instead of taking the cents for the team',
    people: [ENGINES],
    rejected: [3, 4, 5].map((line) => ({ line, reason: QUOTED })),
  },
  {
    kind: 'numbers beside numbers, and a column without a title to the right of the table',
    file: 'Name,Email,Age,Level,Team\nAda Lovelace,ada@a.test,36,7,Engines,new\nGrace Hopper,grace@a.test,44,9,Compilers,new\n',
    ...both,
  },
  {
    kind: 'the same, where teams are numbers',
    file: 'Name,Email,Age,Team\nAda Lovelace,ada@a.test,36,7,new\nGrace Hopper,grace@a.test,44,9,new\n',
    becomes: READ,
    people: ['Ada Lovelace | ada@a.test | 7', 'Grace Hopper | grace@a.test | 9'],
  },
  {
    kind: 'columns without a title to the right of the table',
    file: `${HEAD}\n${ONE},on leave\n${TWO},new\n`,
    ...both,
  },
  {
    kind: 'two addresses in one cell, on two lines',
    file: `${HEAD}\n${ONE}\nBen,"ben@a.test\nben2@a.test",IT\n`,
    becomes: 'that row is rejected by its line',
    people: [ENGINES],
    rejected: [{ line: 3, reason: 'has 2 lines where one email address belongs' }],
  },
  {
    kind: 'a full-width @, a link in Markdown, a name before the address',
    file: 'name,email\nAda,ada＠a.test\nBen,[ben@a.test](mailto:ben@a.test)\nCleo,Cleo <cleo@a.test>\n',
    becomes: 'each row is rejected by its line',
    rejected: [
      { line: 2, reason: '"ada＠a.test" is not an email address: it has no @' },
      {
        line: 3,
        reason:
          '"[ben@a.test](mailto:ben@a.test)" is not an email address: it contains a comment in brackets; leave that out',
      },
      {
        line: 4,
        reason: '"Cleo <cleo@a.test>" is not an email address: it contains brackets; write the address without them',
      },
    ],
  },
  {
    kind: 'two files put together, each with its byte order mark and header',
    file: `\ufeff${HEAD}\n${ONE}\n\ufeff${HEAD}\n${TWO}\n`,
    ...both,
  },
  {
    kind: 'the same, with the columns of the second in another order',
    file: `\ufeff${HEAD}\n${ONE}\n\ufeffteam,email,name\nCompilers,grace@a.test,Grace Hopper\n`,
    becomes: 'the rows before it are kept; the rest is refused, and the error names the line',
    people: [ENGINES],
    refused: 'Line 3 is the header line of another table',
  },
  {
    kind: 'a title and a date above the header, a sum below the rows',
    file: 'Mitarbeiterliste;;;\nStand: 01.11.2026;;;\n\nNr.;Name;E-Mail;Abteilung\n1;Ada Löwe;ada@a.test;Büro\nSumme;1;;\n',
    becomes: 'read; the sum is rejected by its line',
    people: [ADA],
    rejected: [{ line: 6, reason: 'has no email address' }],
  },
  {
    kind: 'only a header line',
    file: `${HEAD}\n`,
    becomes: 'read: nobody is in it',
  },
  {
    kind: 'only a header line, with a last name beside the name',
    file: 'Last name,Employee,Email\n',
    becomes: 'read: nobody is in it',
  },
  {
    kind: 'Outlook, English',
    file: '"Title","First Name","Middle Name","Last Name","Company","Department","E-mail Address","E-mail Type","E-mail Display Name","E-mail 2 Address"\r\n"","Ada","King","Lovelace","Acme","Engines","ada@a.test","SMTP","Ada Lovelace (ada@a.test)",""\r\n',
    becomes: READ,
    people: [ENGINES],
  },
  {
    kind: 'Outlook, German, in windows-1252',
    file: encode(
      '"Anrede","Vorname","Nachname","Firma","Abteilung","E-Mail-Adresse","E-Mail-Typ","E-Mail: Angezeigter Name"\r\n"Frau","Ada","Löwe","Acme","Büro","ada@a.test","SMTP","Ada Löwe (ada@a.test)"\r\n',
      'windows-1252',
    ),
    becomes: READ,
    people: [ADA],
  },
  {
    kind: 'Google Contacts, with a second address of some',
    file: 'First Name,Last Name,Labels,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Value,Organization Department\nAda,Lovelace,* myContacts,Work,ada@a.test,,Engines\nGrace,Hopper,* myContacts,Work,grace@a.test,grace@home.test,Compilers\nBen,Big,,Work,ben@a.test ::: ben@b.test,,IT\n',
    becomes: 'the first address is read; two in one cell are rejected by their line',
    people: [ENGINES, COMPILERS],
    rejected: [{ line: 4, reason: '"ben@a.test ::: ben@b.test" is not an email address: it contains a space' }],
  },
  {
    kind: 'Personio, with an empty “Preferred name” and the supervisor’s address',
    file: 'ID,Status,First name,Last name,Preferred name,Email,Supervisor,Supervisor email,Department,Team\n1,active,Ada,Lovelace,,ada@a.test,Carla,carla@a.test,R&D,Engines\n2,active,Grace,Hopper,Amazing,grace@a.test,Carla,carla@a.test,R&D,Compilers\n',
    becomes: READ,
    people: [ENGINES, COMPILERS],
  },
  {
    kind: 'Workday, Spanish, with a title above the header',
    file: 'Todos los trabajadores\n\nTrabajador,ID de empleado,Correo electrónico - Trabajo principal,Organización de supervisión\nÍñigo Peña,1,i@a.test,Ventas\n',
    becomes: READ,
    people: ['Íñigo Peña | i@a.test | Ventas'],
  },
  {
    kind: 'SAP, with leading zeros, decimal commas and “OrgEinheit”',
    file: 'PersNr.;Nachname;Vorname;E-Mail-Adresse;OrgEinheit;Betrag\n00001234;Löwe;Ada;ADA@A.TEST;Büro;1.234,50\n',
    becomes: READ,
    people: [ADA],
  },
  {
    kind: 'the manager’s name beside first and last name',
    file: 'Vorname;Nachname;Name (Vorgesetzter);E-Mail;Abteilung\nAda;Löwe;Carla Chef;ada@a.test;Büro\nBen;Größe;Carla Chef;ben@a.test;Vertrieb\n',
    ...germans,
  },
  {
    kind: 'the manager’s address, and people’s own under a title of nobody',
    file: 'Name;Dienst-Mail;E-Mail (Vorgesetzter)\nAda;ada@a.test;chef@a.test\nBen;ben@a.test;chef@a.test\nCleo;cleo@a.test;chef@a.test\n',
    becomes: 'refused, instead of making one person of all; the request can choose',
    refused: 'Column 3 (E-Mail (Vorgesetzter)) has the same addresses again and again',
  },
  {
    kind: 'Polish, Czech and Turkish tables of LibreOffice',
    file: 'Příjmení;Jméno;E-mail;Středisko\nLovelace;Ada;ada@a.test;Engines\nHopper;Grace;grace@a.test;Compilers\n',
    ...both,
  },
  {
    kind: 'Excel “Unicode text”: UTF-16, tabs, a tab inside quotes',
    file: Buffer.from('\ufeffName\tE-Mail\tTeam\r\n"Ada\tLovelace"\tada@a.test\tEngines\r\n', 'utf16le'),
    becomes: READ,
    people: [ENGINES],
  },
  {
    kind: 'Japanese in UTF-16 without a byte order mark',
    file: Buffer.from('氏名\tメールアドレス\t部署\r\n山田太郎\tt@a.test\t営業\r\n', 'utf16le'),
    becomes: READ,
    people: ['山田太郎 | t@a.test | 営業'],
  },
  ...['Anna Zięba', 'Jan Ziętek', 'Jan Leśniak', 'Ana Marić', 'Ćosić'].map(inCentralEurope),
];

export const importFiles: Readonly<Record<string, readonly ImportFile[]>> = {
  'Line ends and quotes': lineEnds,
  'Columns and headers': columns,
  Rows: rows,
  Encodings: encodings,
  Text: text,
  'What programs write': programs,
  'Other files': others,
  'Files of public fault reports': reportedFiles,
};
