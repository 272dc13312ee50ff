/**
 * What a migration must not do to a table that is in use, read from its text: no parser, plain SQL is regular enough.
 * The list is that of strong_migrations and squawk. A file that does it nevertheless says why in its header, by table:
 * `-- blocks: books, because …`.
 */
import { type MigrationFile, statementsOf } from '../../src/db/migration-files.ts';

/**
 * rewrites: the table is read or written as a whole under a lock that stops everybody.
 * blocks: writes wait for as long as the table is big.
 * breaks: the release that still runs does not fit any more.
 */
type Word = 'rewrites' | 'blocks' | 'breaks';

interface Rule {
  /** What the header must say to be let off. */
  readonly word: Word;
  readonly matches: (action: string, file: string) => boolean;
  readonly instead: string;
}

/** Each part of ALTER TABLE; `create index` is looked at apart. */
const ALTER_RULES: readonly Rule[] = [
  {
    word: 'breaks',
    matches: (action) =>
      /^add (column )?.* not null/.test(action) && !/ default | generated |^add constraint/.test(action),
    instead: 'a column that is not null needs a default, or the old release cannot insert',
  },
  {
    word: 'breaks',
    matches: (action) => /^rename /.test(action),
    instead: 'add the new name beside the old one, and drop the old one a release later',
  },
  {
    word: 'breaks',
    matches: (action) => /^drop (column )?(?!constraint |not null|default)/.test(action),
    instead: 'drop a column in the release after the last one that reads it, and say so',
  },
  {
    word: 'rewrites',
    matches: (action) => /^alter (column )?\S+ (set data )?type /.test(action),
    instead: 'add a column of the new type, fill it in steps, read it, and drop the old one a release later',
  },
  {
    word: 'rewrites',
    matches: (action) =>
      /^add (column )?.*( stored| as identity| \w*serial\b| default (gen_random_uuid|uuidv\d|random|clock_timestamp)\()/.test(
        action,
      ),
    instead: 'add the column empty, and fill it in steps',
  },
  {
    word: 'rewrites',
    matches: (action) => /^alter (column )?\S+ set not null/.test(action),
    instead: 'add constraint … check (… is not null) not valid, and validate it in the next file',
  },
  {
    word: 'rewrites',
    matches: (action) =>
      /^add (constraint \S+ )?(check|foreign key|unique|primary key|exclude)\b/.test(action) &&
      !/ not valid$| using index /.test(action),
    instead:
      'add it not valid, and validate it in the next file; a unique one using an index that is built concurrently',
  },
  {
    word: 'rewrites',
    matches: (action, file) => /^validate constraint /.test(action) && / not valid\b/.test(file),
    instead: 'validate it in a file of its own: here the lock of its adding is still held',
  },
];

/** One sentence for each thing that is wrong; none for a file that may run while the product does. */
export function faultsOf(file: MigrationFile): string[] {
  const header = /^(?:--.*\n)*/.exec(file.text)?.[0] ?? '';
  const statements = statementsOf(file.text).map(plain);
  return [
    ...headerFaults(header),
    ...(file.inTransaction ? insideFaults(statements) : outsideFaults(statements)),
    ...tableFaults(statements, header),
  ].map((fault) => `${file.name}: ${fault}`);
}

function headerFaults(header: string): string[] {
  const lines = header.split('\n').filter((line) => line !== '');
  const why = lines.filter((line) => !/^-- (no-transaction$|Locks:|(rewrites|blocks|breaks):)/.test(line));
  return [
    ...(why.length === 0 ? ['the header must say why'] : []),
    ...(/^-- Locks: \S/m.test(header) ? [] : ['the header must say which lock it takes: -- Locks: …']),
  ];
}

function insideFaults(statements: string[]): string[] {
  return statements
    .filter((statement) => / concurrently /.test(statement))
    .map(() => 'concurrently works outside a transaction only: begin the file with -- no-transaction');
}

/** What fails half way is run again from the start, so each statement must bear that. */
function outsideFaults(statements: string[]): string[] {
  return statements.flatMap((statement, index) => {
    if (/^drop index concurrently if exists \S+$/.test(statement)) return [];
    const name = /^create (?:unique )?index concurrently (\S+) on /.exec(statement)?.[1];
    if (name === undefined)
      return [`a -- no-transaction file only builds and drops indexes concurrently: ${statement}`];
    if (statements.slice(0, index).includes(`drop index concurrently if exists ${name}`)) return [];
    return [`a build that failed leaves ${name} INVALID: drop index concurrently if exists ${name} before it`];
  });
}

function tableFaults(statements: string[], header: string): string[] {
  const made = new Set(statements.map((text) => /^create table (?:if not exists )?(\S+)/.exec(text)?.[1]));
  const file = statements.join('; ');
  return statements.flatMap((statement) => {
    const found = dangersIn(statement, file).filter(({ table }) => !made.has(table));
    return found.filter((danger) => !isExcused(danger, header)).map((danger) => sentence(danger));
  });
}

type Danger = { table: string; word: Word; action: string; instead: string };

function dangersIn(statement: string, file: string): Danger[] {
  const index = /\bcreate (?:unique )?index (?!concurrently )(?:.+? )?on (?:only )?([^\s(]+)/.exec(statement);
  if (index !== null) {
    const instead = 'create index concurrently, in a file that begins with -- no-transaction';
    return [{ table: index[1] as string, word: 'blocks', action: 'create index', instead }];
  }
  const dropped = /\bdrop table (?:if exists )?(\S+)/.exec(statement);
  if (dropped !== null) {
    const instead = 'drop a table in the release after the last one that uses it, and say so';
    return [{ table: dropped[1] as string, word: 'breaks', action: 'drop table', instead }];
  }
  const [, table, actions] = /\balter table (?:if exists )?(?:only )?(\S+) (.*)/.exec(statement) ?? [];
  if (table === undefined || actions === undefined) return [];
  return actions.split(/, ?(?![^(]*\))/).flatMap((action) =>
    ALTER_RULES.filter((rule) => rule.matches(action, file)).map(({ word, instead }) => ({
      table,
      word,
      action,
      instead,
    })),
  );
}

/** A table that is rewritten is locked against everybody already: what would block its writers adds nothing to that. */
function isExcused({ table, word }: Danger, header: string): boolean {
  const words = word === 'blocks' ? ['rewrites', 'blocks'] : [word];
  return words.some((each) => new RegExp(`^-- ${each}: ${RegExp.escape(table)}, because \\S`, 'm').test(header));
}

function sentence({ table, word, action, instead }: Danger): string {
  return `"${action}" on ${table}: ${instead} (or say in the header: -- ${word}: ${table}, because …)`;
}

/** Lower case, one line, without what is in quotes or behind a comment. */
function plain(statement: string): string {
  return statement
    .replace(/--.*$/gm, '')
    .replace(/'[^']*'/g, "''")
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();
}
