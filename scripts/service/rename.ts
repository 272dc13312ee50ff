/** The forms of a service's name, and the project's text under another name. */

export interface ServiceName {
  /** `Acme Invoices`: titles, mails, documents. */
  readonly title: string;
  /** `acme-invoices`: package, image, folder, domain. */
  readonly kebab: string;
  /** `acme_invoices`: database, roles, metrics, cookies. */
  readonly snake: string;
}

const CHARS_MAX = 40;

/** Throws, with advice, if the name cannot be used in all of these forms. */
export function serviceNameOf(title: string): ServiceName {
  const words = title.trim().split(/[\s-]+/);
  if (!words.every((word) => /^[A-Za-z][A-Za-z0-9]*$/.test(word)) || title.length > CHARS_MAX)
    throw new Error(
      `"${title}" cannot be a service's name: use words of English letters and digits, at most ${CHARS_MAX} characters, for example "Acme Invoices".`,
    );
  const lower = words.map((word) => word.toLowerCase());
  return { title: words.join(' '), kebab: lower.join('-'), snake: lower.join('_') };
}

/** Places where PostgreSQL reads the name unquoted, so it must be an identifier. */
const IDENTIFIERS =
  /(?<=\b(?:role|database|owner|DATABASE =|OWNER_ROLE =) '?|--username=|--dbname=|:5432\/|postgres:\/\/)tardigrade(?![_.-])/g;

/** `Tardigrade`, `tardigrade` and `tardigrade_…` under the new name. */
export function renamed(text: string, name: ServiceName): string {
  return text
    .replaceAll(IDENTIFIERS, name.snake)
    .replaceAll('tardigrade_', `${name.snake}_`)
    .replaceAll('tardigrade', name.kebab)
    .replaceAll('Tardigrade', name.title);
}
