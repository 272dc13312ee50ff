import type { Exception } from '../../../scripts/query-plans/module-plans.ts';

export const exceptions: readonly Exception[] = [
  {
    site: 'src/modules/campaigns/ledger.ts recordReachOuts',
    rule: 'batch',
    table: 'reach_outs',
    because: 'MAILS_IN_FLIGHT_MAX: 40 rows are compared with 40 at most',
  },
  {
    site: 'src/modules/campaigns/ledger.ts extendLeases',
    rule: 'batch',
    table: 'reach_outs',
    because: 'MAILS_IN_FLIGHT_MAX: 40 rows are compared with 40 at most',
  },
  {
    site: 'src/modules/campaigns/ledger.ts claimReachOuts',
    rule: 'index-path',
    table: 'reach_outs',
    because:
      'LAST_DUE_SHARE of a claim at most does not pass: the rows that the same statement has just taken from the end',
  },
  {
    site: 'src/modules/campaigns/recipient-queries.ts retryFailed',
    rule: 'index-path',
    table: 'reach_outs',
    because: 'the failed ones of one campaign, when a person sends to those of one cause again',
  },
  {
    site: 'src/modules/campaigns/state-queries.ts lockScheduled',
    rule: 'index-path',
    table: 'campaigns',
    because: 'all campaigns of one organisation at most, when it schedules one: a person makes each of them by hand',
  },
  {
    site: 'src/modules/dashboard/queries.ts summary',
    rule: 'index-path',
    table: 'campaigns',
    because: 'only those being sent are in the index campaigns_sending, of all organisations together',
  },
];

export const indexesAcross = {
  campaigns_due: 'the clock looks at all organisations',
  campaigns_finished: 'retention deletes what is old in all of them',
  campaigns_sending: 'and so does the sweep',
};
