/** Which columns are the name: one, or its parts in the order in which they are said. */
import {
  areShared,
  type Claim,
  contradict,
  countDifferent,
  describe,
  filledCells,
  HALF,
  hasNoLetters,
  isAddress,
  isMostlyFilled,
  NEARLY_ALL,
  shareOf,
  strongest,
  type Table,
} from './csv-table.ts';
import { foldTitle, type Titles } from './csv-titles.ts';
import { hasTitleInIt, strengthsOf } from './title-strength.ts';

/** `email` is the column of the addresses, if it is known. */
export function nameOf(table: Table, email: number | undefined): number[] | string | undefined {
  const named = (field: keyof Titles) => table.claims[field].filter((claim) => holdsNames(table, claim));
  const given = strongest(table, named('givenName'), 'the first name');
  const family = strongest(table, named('familyName'), 'the last name');
  const [isGiven, isFamily] = [typeof given === 'number', typeof family === 'number'];
  // Beside both parts, "Name (manager)" is somebody else's and "Preferred name" may be empty.
  const isWhole = ({ column }: Claim) => {
    const isHalf = column === given || column === family;
    if (!isGiven || !isFamily) return !isHalf;
    // "Jan Janssen" has two names, though one is in the other.
    if (isHalf && shareOf(table, column, hasSeveralWords) <= HALF) return false;
    return containing(table, (column === family ? given : family) as number)({ column });
  };
  const whole = named('name').filter(isWhole);
  const full = strongest(table, whole, 'the name');
  if (typeof full === 'number') {
    if (isGiven && isFamily) return [full];
    if (isGiven) return besideHalf(table, full, given as number, 'last name');
    if (isFamily) return besideHalf(table, full, family as number, 'first name');
    const fuller = fullerNames(table, full, whole);
    if (fuller !== undefined) return contradict(table, full, fuller, 'the name');
    return sharedNames(table, full, { titled: whole, email }) ?? untitledRest(table, full) ?? [full];
  }
  if (typeof full === 'string' && !(isGiven && isFamily)) return full;
  const contradiction = [given, family].find((found) => typeof found === 'string');
  if (contradiction !== undefined) return contradiction;
  const [particle, second, initials] = [
    table.claims.nameParticle[0]?.column,
    table.claims.secondFamilyName[0]?.column,
    table.claims.initials[0]?.column,
  ];
  const isDefined = (column: number | undefined) => column !== undefined;
  if (isGiven && isFamily) {
    const [first, last] = [given as number, family as number];
    // "Nom d'usage" is empty for whoever goes by the name of birth.
    const rest = isMostlyFilled(table, last) ? undefined : otherHalf(table, first, 'familyName', 'last name', last);
    if (rest !== undefined) return rest;
    const names = inOrder(table, first, last);
    return [...names.slice(0, 1), particle, ...names.slice(1), second].filter(isDefined);
  }
  if (isGiven) return otherHalf(table, given as number, 'familyName', 'last name') ?? [given as number];
  if (isFamily)
    return (
      otherHalf(table, family as number, 'givenName', 'first name') ??
      [initials, particle, family as number, second].filter(isDefined)
    );
  const numbers = table.claims.name[0];
  return (
    numbers &&
    `Column ${describe(table, numbers.column)} holds numbers or addresses, not names. Choose the column of the names.`
  );
}

/** What is called a name may be the other half of it: "Name" beside "First name" is, unless it has the first name in it. */
function besideHalf(table: Table, full: number, half: number, called: 'first name' | 'last name'): number[] | string {
  if (containing(table, half)({ column: full })) return [full];
  const isExact = strengthsOf(table.titles[full] ?? '').name === 0;
  if (called === 'last name' && isExact) return inOrder(table, half, full);
  // The half is a preferred name, or in other letters.
  const isWhole = called === 'last name' ? !isMostlyFilled(table, half) : shareOf(table, full, hasSeveralWords) > HALF;
  return isWhole || table.rows.length === 0 ? [full] : askForHalf(table, half, full, called);
}

/** A merged cell "Name" above "First" and "Last" is saved as its first column's. */
function untitledRest(table: Table, column: number): string | undefined {
  const rest = column + 1;
  const isRest =
    table.titles[rest]?.trim() === '' &&
    isMostlyFilled(table, rest) &&
    shareOf(table, rest, (cell) => /^\p{L}[\p{L}\p{M}\s'’.-]*$/u.test(cell)) >= NEARLY_ALL &&
    shareOf(table, column, (cell) => !hasSeveralWords(cell)) >= NEARLY_ALL &&
    // "active" and "left" come again and again.
    countDifferent(filledCells(table, rest)) > filledCells(table, rest).length * HALF;
  return isRest
    ? `Column ${describe(table, column)} has one word in most rows, and column ${describe(table, rest)} has no title: it may be the rest of the name. Choose the columns of the name.`
    : undefined;
}

/** "Surname at birth" beside "First name": half of the name would be lost without a word. */
function otherHalf(table: Table, half: number, field: keyof Titles, called: string, known = half): string | undefined {
  const isLikely = (title: string, column: number) =>
    column !== half &&
    column !== known &&
    hasTitleInIt(title, field) &&
    filledCells(table, column).some((cell) => /\p{L}/u.test(cell));
  const other = table.titles.findIndex(isLikely);
  return other < 0 ? undefined : askForHalf(table, half, other, called);
}

function askForHalf(table: Table, half: number, other: number, called: string): string {
  return `Column ${describe(table, half)} is a part of the name, and column ${describe(table, other)} may be the ${called}. Choose the columns of the name.`;
}

/** Where the title says more than that it is a name. Whoever has several rows has the same address in them. */
function sharedNames(
  table: Table,
  column: number,
  { titled, email }: { titled: readonly Claim[]; email: number | undefined },
): string | undefined {
  const isExact = titled.some((claim) => claim.column === column && Number.isInteger(claim.strength));
  const names = filledCells(table, column);
  const people = email === undefined ? names.length : countDifferent(filledCells(table, email));
  return !isExact && areShared(names) && countDifferent(names) < people
    ? `Column ${describe(table, column)} has the same names again and again, as that of a manager has. Choose the column of people's own names.`
    : undefined;
}

/** Chinese, Japanese and Korean names begin with the family's. */
function inOrder(table: Table, given: number, family: number): number[] {
  return shareOf(table, family, (cell) => EAST_ASIAN.test(cell)) >= HALF ? [family, given] : [given, family];
}

/** Beside "Ada Lovelace" under "Employee", "alovelace" under "Name" is what she signs in with. */
function fullerNames(table: Table, full: number, others: readonly Claim[]): number | undefined {
  const isFuller = ({ column }: Claim) => shareOf(table, column, hasSeveralWords) > HALF;
  return shareOf(table, full, hasSeveralWords) > 0 ? undefined : others.find(isFuller)?.column;
}

/** Not numbers, and not addresses. Where the title says less than "Name" does, not numbers like E-10023 either. */
function holdsNames(table: Table, { column, strength }: Claim): boolean {
  const rivals = table.claims.name.length > 1;
  const isNumber = strength >= 1 || rivals ? isPersonnelNumber : hasNoLetters;
  return shareOf(table, column, isNumber) <= HALF && shareOf(table, column, isAddress) <= HALF;
}

const hasSeveralWords = (cell: string) => /\p{L}[,.]?\s+\p{L}/u.test(cell);
const isPersonnelNumber = (cell: string) => hasNoLetters(cell) || /^\p{L}{0,4}[-_ ./]?\d+$/u.test(cell);

/** Tells the columns that have the text of `part` in most of their cells. */
function containing({ rows }: Table, part: number): (whole: { readonly column: number }) => boolean {
  const parts = rows.map((row) => foldTitle(row[part] ?? ''));
  return ({ column }) => {
    const both = [...rows.keys()].filter((n) => rows[n]?.[column] && rows[n]?.[part]);
    const within = both.filter((n) => foldTitle(rows[n]?.[column] ?? '').includes(parts[n] as string));
    return both.length > 0 && within.length >= both.length * HALF;
  };
}

const EAST_ASIAN = /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]/u;
