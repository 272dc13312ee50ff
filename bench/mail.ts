/**
 * `npm run bench:mail [-- --profile=ci|full] [--soft]`: the product's mailer in a box of 512 MB against bare nodemailer
 * with as many pooled connections in a box of the same size, both to the same Postfix, in pairs whose order alternates.
 * Ends with both rates, their ratio, the mailer's memory, and whether everybody got each mail once by Postfix's own log;
 * the full profile keeps it in bench/results/mail.json. Exit code 1 when a line is not met.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Estimate, estimate } from './ab/statistics.ts';
import { argumentsOrExit } from './arguments.ts';
import { startLayout } from './layout/layout.ts';
import { type Contestant, startBare, startProduct } from './mail/arrange.ts';
import { startPostfix } from './mail/postfix.ts';
import { loadBenches } from './modules.ts';
import { median, round } from './numbers.ts';
import { stopOnSignal } from './stop-on-signal.ts';

interface MailResult {
  readonly mails: number;
  readonly productPerSecond: number;
  readonly barePerSecond: number;
  readonly ratio: Estimate;
  readonly productPeakMb: number | undefined;
  readonly barePeakMb: number | undefined;
}

const PROFILES = { ci: { pairs: 2, mails: 1_000 }, full: { pairs: 8, mails: 3_750 } } as const;
/** The product needs its schema, and no data of the seed's. */
const SEED_SCALE = 0.02;
const WARM_UP_MAILS = 500;
const RATIO_MIN = 0.8;
const MEMORY_MB_MAX = 150;
const MB = 2 ** 20;
const ROOT = path.resolve(import.meta.dirname, '..');
const FOLDER = path.join(ROOT, '.tardigrade', 'bench', 'mail');

const options = argumentsOrExit('npm run bench:mail -- [--profile=ci|full] [--soft]', (args) => {
  const flags = { profile: { type: 'string', default: 'full' }, soft: { type: 'boolean', default: false } } as const;
  const { profile, soft } = parseArgs({ args, options: flags }).values;
  if (profile !== 'ci' && profile !== 'full') throw new Error(`There is no profile ${profile}.`);
  return { profile, soft } as const;
});
const { pairs: pairsWanted, mails } = PROFILES[options.profile];
const mailRun = (await (await loadBenches()).find((bench) => bench.mailRun !== undefined)?.mailRun?.())?.mailRun;
if (mailRun === undefined) throw new Error('No module sends mails to many people (ModuleBench.mailRun).');

stopOnSignal();
const postfix = await startPostfix();
const stops = [postfix.stop];
try {
  const environment = { MAIL_PER_SECOND: '10000' }; // never waited for
  const layout = await startLayout({
    kind: 'nano-each',
    without: ['chat', 'api'],
    seedScale: SEED_SCALE,
    folder: FOLDER,
    smtpUrl: postfix.url,
    environment,
    soft: options.soft,
  });
  stops.unshift(layout.stop);
  const product = await startProduct(layout, mailRun, { mails, warmUpMails: WARM_UP_MAILS });
  stops.unshift(product.stop);
  const bare = await startBare(FOLDER, postfix.url, mailRun, { mails, warmUpMails: WARM_UP_MAILS });
  stops.unshift(bare.stop);

  const pairs: { product: number; bare: number }[] = [];
  for (let pair = 1; pair <= pairsWanted; pair++) {
    const perSecond = new Map<Contestant, number>();
    for (const contestant of pair % 2 === 1 ? [product, bare] : [bare, product])
      perSecond.set(contestant, mails / (await contestant.send(mails)));
    const rates = { product: Math.round(perSecond.get(product) ?? 0), bare: Math.round(perSecond.get(bare) ?? 0) };
    pairs.push(rates);
    console.log(
      `pair ${pair}: product ${rates.product} mails/s, bare ${rates.bare} mails/s, ratio ${(rates.product / rates.bare).toFixed(2)}`,
    );
  }

  const handedOver = 2 * (pairsWanted * mails + WARM_UP_MAILS);
  const deliveries = await postfix.deliveries(handedOver);
  const wrong = [...deliveries].filter(([, times]) => times !== 1).length + Math.abs(handedOver - deliveries.size);
  const ratio = estimate(pairs.map((pair) => pair.product / pair.bare));
  const [ours, theirs] = [product, bare].map(({ peakBytes }) => round(peakBytes() / MB));
  const result = {
    node: process.version,
    postfix: postfix.version,
    enforcedBy: layout.enforcedBy,
    mails: pairsWanted * mails,
    productPerSecond: median(pairs.map((pair) => pair.product)),
    barePerSecond: median(pairs.map((pair) => pair.bare)),
    ratio,
    productPeakMb: ours,
    barePeakMb: theirs,
    taken: deliveries.size,
    notExactlyOnce: wrong,
    pairs,
  };
  const lines: [string, boolean][] = [
    [`every mail exactly once by Postfix's log (${deliveries.size} of ${handedOver}, ${wrong} not)`, wrong === 0],
    [`the rate at least ${RATIO_MIN} of bare nodemailer's (${ratio.median.toFixed(2)})`, ratio.median >= RATIO_MIN],
    [`the mailer's memory under ${MEMORY_MB_MAX} MB (${ours})`, (ours ?? 0) < MEMORY_MB_MAX],
    ['a limit that the kernel enforces', layout.enforcedBy !== 'none' || options.soft],
  ];
  console.log(mailTable(result));
  for (const [line, holds] of lines) console.log(`${holds ? 'met    ' : 'NOT MET'} ${line}`);
  if (options.profile === 'full')
    writeFileSync(path.join(ROOT, 'bench', 'results', 'mail.json'), `${JSON.stringify(result, null, 2)}\n`);
  process.exitCode = lines.every(([, holds]) => holds) ? 0 : 1;
} finally {
  for (const stop of stops) await stop();
}

function mailTable({ mails, productPerSecond, barePerSecond, ratio, productPeakMb, barePeakMb }: MailResult): string {
  const row = (...cells: (string | number)[]) =>
    cells.map((cell, at) => (at === 0 ? String(cell).padEnd(26) : String(cell).padStart(12))).join('');
  return [
    '',
    row(`${mails.toLocaleString('en')} mails each`, 'mails/s', 'peak MB'),
    row("the product's mailer", productPerSecond, productPeakMb ?? ''),
    row('bare nodemailer', barePerSecond, barePeakMb ?? ''),
    row('ratio', ratio.median.toFixed(2)),
    ...(ratio.low > 0 ? [`with 99 % confidence ${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)}`] : []),
    '',
  ].join('\n');
}
