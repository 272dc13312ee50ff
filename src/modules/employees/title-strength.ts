/** What a title says its column is. Each title is compared once, for all fields: a header line may have a thousand. */
import { foldTitle, TITLES, type Titles } from './csv-titles.ts';

/** 0 is the strongest. A part of a title ("Name / Nom", "Email (work)") is weaker than a whole one. */
export type Strengths = Readonly<Partial<Record<keyof Titles, number>>>;

export function strengthsOf(title: string): Strengths {
  const front = title.replace(BEHIND, '');
  const half = halfOfName(front, title.slice(front.length), 0);
  if (half !== undefined) return half;
  // "First⏎Name" is one title: its parts are "First" and "Name".
  const whole = KNOWN.get(foldTitle(title));
  if (whole !== undefined) return whole;
  const parts = title.split(BETWEEN);
  // "Name / Nom" is one title in two languages.
  return halfOfName(parts[0] as string, parts.slice(1).join(' '), 1) ?? partsOf(new Set([front, ...parts]));
}

/** "Name (First)", "Employee: Last name": what stands behind is the title, and all of them begin alike. */
function halfOfName(front: string, behind: string, weakest: number): Strengths | undefined {
  const { name: whole = -1 } = (behind !== '' && KNOWN.get(foldTitle(front))) || {};
  if (whole < weakest) return undefined;
  const { givenName, familyName } = KNOWN.get(foldTitle(behind)) ?? {};
  // "Nom" may also be a translation of "Name": what is in the column tells.
  const name = whole + PART_OF_TITLE;
  if (givenName !== undefined) return { name, givenName: givenName + PART_OF_TITLE };
  return familyName === undefined ? undefined : { name, familyName: familyName + PART_OF_TITLE };
}

function partsOf(parts: ReadonlySet<string>): Strengths {
  const found: Partial<Record<keyof Titles, number>> = {};
  for (const part of parts) {
    for (const [field, strength] of Object.entries(KNOWN.get(foldTitle(part)) ?? {}) as [keyof Titles, number][])
      found[field] = Math.min(found[field] ?? Number.POSITIVE_INFINITY, strength + PART_OF_TITLE);
  }
  return found;
}

/** "Surname at birth" has "Surname" in it. */
export function hasTitleInIt(title: string, field: keyof Titles): boolean {
  const words = title.split(/[^\p{L}\p{M}\p{N}]+/u).map(foldTitle);
  const beginsAt = (from: number) =>
    Array.from({ length: TITLE_WORDS_MAX }, (_, more) => words.slice(from, from + more + 1).join(''));
  return words.some((_, from) => beginsAt(from).some((part) => KNOWN.get(part)?.[field] !== undefined));
}

const BEHIND = /[([:].*|\s[-–]\s.*/s;
const BETWEEN = /[/|\n]/;
const PART_OF_TITLE = 0.5;
const TITLE_WORDS_MAX = 4; // of the parts of a title that are looked up: those that are known have three at most

const KNOWN: ReadonlyMap<string, Strengths> = knownTitles();

function knownTitles(): Map<string, Strengths> {
  const known = new Map<string, Strengths>();
  for (const [field, lists] of Object.entries(TITLES) as [keyof Titles, string[][]][]) {
    for (const [strength, titles] of lists.entries()) {
      for (const title of titles) {
        const folded = foldTitle(title);
        known.set(folded, { [field]: strength, ...known.get(folded) });
      }
    }
  }
  return known;
}
