import { createHash } from 'node:crypto';
import type { PatternCase, Servers } from '../pattern.ts';
import { runSql } from '../scratch-database.ts';
import { measureCost } from './cost.ts';

export interface Document {
  readonly org_id: number;
  readonly title: string;
  readonly body: string;
}

export interface Documents {
  /** Of this organisation only. */
  titled(orgId: number, title: string): Promise<Document[]>;
  close(): Promise<void>;
}

type Twin = { openDocuments(servers: Servers): Documents };
type Input = { readonly organisations: number; readonly questions: number; readonly costRounds: number };

const ORGANISATION = 1;
/** Of each organisation; all have the same titles. */
const DOCUMENTS = 20_000;
const QUESTIONS = 500;
const COST_RATIO_MAX = 1.5;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/db/tenant-isolation.ts',
  withoutIt: "one forgotten condition shows a customer another customer's data",
  asks: `Look up ${QUESTIONS} documents by title, with a query that lacks its organisation; another one uses the same titles.`,
  breaks: "another organisation's rows are returned",
  holds: `only the organisation's own rows are returned, and a page or a row takes at most ${COST_RATIO_MAX} times as long`,
  headline: ({ foreignRows = 0 }) => `${foreignRows} foreign rows shown`,
  small: { organisations: 1, questions: 60, costRounds: 0 },
  full: { organisations: 2, questions: QUESTIONS, costRounds: 51 },

  arrange: ({ databaseUrl }, { organisations }) =>
    runSql(
      databaseUrl,
      `insert into documents (org_id, title, body) select org, 'Document ' || n, 'Of organisation ' || org
       from generate_series(1, ${organisations}) org, generate_series(1, ${DOCUMENTS}) n order by org, n; analyze documents`,
    ),

  async perform({ openDocuments }, { questions, costRounds }, servers) {
    const documents = openDocuments(servers);
    const hash = createHash('sha256');
    let [ownRows, foreignRows] = [0, 0];
    for (let n = 1; n <= questions; n++) {
      for (const { org_id, title, body } of await documents.titled(ORGANISATION, `Document ${n}`)) {
        if (org_id === ORGANISATION) ownRows++;
        else foreignRows++;
        hash.update(`${title} ${body}\n`);
      }
    }
    await documents.close();
    // The cost is measured only where the isolation works.
    const cost = costRounds > 0 && foreignRows === 0 ? await measureCost(servers, ORGANISATION, costRounds) : {};
    return { digest: hash.digest('hex'), figures: { ownRows, foreignRows, ...cost } };
  },

  isBroken: (naive) => (naive.figures.foreignRows ?? 0) > 0,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' &&
    figures.foreignRows === 0 &&
    figures.ownRows === QUESTIONS &&
    Math.max(figures.pageCostRatio ?? Infinity, figures.pointCostRatio ?? Infinity) <= COST_RATIO_MAX,
};
