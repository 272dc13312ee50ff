/** The statements that the product issues, as the queries.sql files show them (snapshots.ts): to people, in a diff. */
import { laidOut } from './layout.ts';

/** As whom a statement ran: within one organisation, for the jobs of all of them, or as the processes log in. */
export type StatementRole = 'tenant' | 'system' | 'login';

export interface Statement {
  readonly roles: readonly StatementRole[];
  /** What issues it: `src/http/authentication.ts create`. */
  readonly sites: readonly string[];
  readonly sql: string;
}

const HEADER = `-- The statements that are sent to PostgreSQL, each with the function that sends it and the roles it runs as.
-- Written by npm run queries and planned by planned.test.ts; not to be changed by hand.
`;

/** One paragraph per statement, in the order of the files that issue them; the same from two places is shown once. */
export function printStatements(statements: readonly Statement[]): string {
  const merged = new Map<string, Statement>();
  for (const statement of statements) {
    const sql = laidOut(statement.sql);
    const known = merged.get(sql);
    merged.set(sql, {
      roles: union(known?.roles, statement.roles),
      sites: union(known?.sites, statement.sites),
      sql,
    });
  }
  const paragraphs = [...merged.values()].map(({ roles, sites, sql }) => {
    // A test that calls a query as the owner of the tables says nothing about how the product runs it.
    const scoped = roles.filter((role) => role !== 'login');
    return `-- ${sites.join('\n-- ')} (${(scoped.length > 0 ? scoped : roles).join(', ')})\n${sql};\n`;
  });
  return [HEADER, ...paragraphs.toSorted()].join('\n');
}

function union<T extends string>(some: readonly T[] = [], more: readonly T[]): T[] {
  return [...new Set([...some, ...more])].toSorted();
}

export function parseStatements(text: string): Statement[] {
  return text.split(/\n\n+/).slice(1).map(parseStatement);
}

function parseStatement(paragraph: string): Statement {
  const lines = paragraph.trim().split('\n');
  const comments = lines.filter((line) => line.startsWith('-- ')).map((line) => line.slice('-- '.length));
  const roles = / \(([a-z, ]+)\)$/.exec(comments.at(-1) ?? '')?.[1]?.split(', ') as StatementRole[] | undefined;
  if (roles === undefined)
    throw new Error(`No role above this statement; write it with npm run queries:\n${paragraph}`);
  const sql = lines.filter((line) => !line.startsWith('-- ')).join('\n');
  return { roles, sites: comments.map((line) => line.replace(/ \([a-z, ]+\)$/, '')), sql: sql.replace(/;$/, '') };
}
