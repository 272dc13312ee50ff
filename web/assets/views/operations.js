import { get } from '../api.js';
import { el, put } from '../el.js';
import { formatBytes, formatMs, formatNumber } from '../format.js';
import { bar, heading, notice, table } from '../parts.js';
import { poll } from '../poll.js';
import { processCard } from './process-card.js';

/** @typedef {Answer<'/api/v1/operations', 'get'>} Operations */

// As the mailer has it (REDIS_ADMISSION_SHARE).
const NEARLY_FULL = 0.9;

const LOAD_EVERY_MS = 2_000;

export function operationsView({ session, signal }) {
  if (!session.operator) return forOperators();
  const fault = el('div');
  const wrong = el('div');
  const processes = el('div', { class: 'cards' }, el('p', { class: 'soft' }, 'Loading…'));
  const stores = el('div', { class: 'cards' });
  const history = new Map(); // process -> its last readings; kept only while this view is open
  const load = async () => {
    const found = await get('/api/v1/operations', null, signal);
    put(fault);
    put(wrong, wrongNow(found));
    forgetGone(history, found.processes);
    put(
      processes,
      found.processes.map((process) => processCard(process, history)),
    );
    put(stores, replicaCard(found), databaseCard(found), redisCard(found), queuesCard(found));
  };
  poll(load, LOAD_EVERY_MS, signal, (error) => put(fault, notice(error)));
  return [
    heading('Operations'),
    fault,
    wrong,
    el('h2', null, 'Processes'),
    processes,
    el('h2', null, 'Stores and queues'),
    stores,
  ];
}

// An address from a mail, or of somebody who was an operator.
function forOperators() {
  return [
    heading('Operations'),
    el(
      'section',
      { class: 'card' },
      el('h2', null, 'This page is for those who run the platform'),
      el(
        'p',
        null,
        'It shows the servers and processes that all organisations share. If you run them, put your address in ',
        el('code', null, 'OPERATORS'),
        ' and restart the api.',
      ),
      el('div', { class: 'actions' }, el('a', { class: 'button', href: '#/' }, 'Go to the home page')),
    ),
  ];
}

function forgetGone(history, processes) {
  const here = new Set(processes.map(({ name, pid }) => `${name}/${pid}`));
  for (const key of history.keys()) if (!here.has(key)) history.delete(key);
}

/**
 * What somebody should look at first; nothing when all is well.
 * @param {Operations} found
 */
function wrongNow({ alerts, deaths }) {
  const lines = [
    ...alerts.map(({ rule, detail, since }) => `${rule}: ${detail}, since ${new Date(since).toLocaleTimeString()}`),
    ...deaths.map(({ says, at }) => `${new Date(at).toLocaleTimeString()}: ${says}`),
  ];
  return (
    lines.length > 0 &&
    el(
      'section',
      { class: 'card wide', 'aria-label': 'What is wrong' },
      el('h2', null, 'What is wrong ', el('span', { class: 'status bad' }, formatNumber(lines.length))),
      el(
        'ul',
        null,
        lines.map((line) => el('li', null, line)),
      ),
    )
  );
}

const REPLICA = {
  none: ['pale', 'No replica is configured; everything reads from the primary.'],
  usable: ['good', 'Reads go to the replica.'],
  lagging: ['warn', 'Too far behind; reads go to the primary until it has caught up.'],
  promoted: ['warn', 'It has become a primary and is no longer used.'],
  unreachable: ['bad', 'It does not respond; reads go to the primary.'],
};

/** @param {Operations} found */
function replicaCard({ replica }) {
  const [kind, text] = REPLICA[replica.state] ?? ['pale', ''];
  return el(
    'section',
    { class: 'card' },
    el('h3', null, 'Replica ', el('span', { class: `status ${kind}` }, replica.state)),
    el('p', { class: 'soft' }, text),
    facts(['Lag', formatMs(replica.lagMs)], ['Not yet replayed', formatBytes(replica.lagBytes)]),
  );
}

/** @param {Operations} found */
function databaseCard({ database }) {
  const share = database.connections / database.connectionsMax;
  const text = `${formatNumber(database.connections)} of ${formatNumber(database.connectionsMax)}`;
  return el(
    'section',
    { class: 'card' },
    el('h3', null, 'Database'),
    facts(['Connections', text], ['Size', formatBytes(database.sizeBytes)]),
    bar('Database connections', [{ share, kind: share > 0.85 ? 'bad' : 'good' }], text),
    database.budget !== null && budgetLine(database.budget),
  );
}

/**
 * What all processes may open at most; further instances refuse to start.
 * @param {Operations['database']['budget']} budget
 */
function budgetLine({ needed, allowed, arithmetic }) {
  if (needed <= allowed) return el('p', { class: 'soft' }, `At most: ${arithmetic}`);
  return el('p', { class: 'notice' }, `More processes run than there are connections for: ${arithmetic}`);
}

/** @param {Operations} found */
function redisCard({ redis }) {
  if (redis === null) {
    return el(
      'section',
      { class: 'card' },
      el('h3', null, 'Redis ', el('span', { class: 'status bad' }, 'unreachable')),
      el('p', null, 'Jobs and mails wait until it is back. Of the processes, only the one that answers is shown.'),
    );
  }
  const share = redis.maxBytes > 0 ? redis.usedBytes / redis.maxBytes : 0;
  const text = `${formatBytes(redis.usedBytes)} of ${redis.maxBytes > 0 ? formatBytes(redis.maxBytes) : 'no limit'}`;
  return el(
    'section',
    { class: 'card' },
    el('h3', null, 'Redis'),
    facts(['Memory', text]),
    bar('Redis memory', [{ share, kind: share > 0.85 ? 'bad' : 'good' }], text),
    share >= NEARLY_FULL &&
      el('p', { class: 'notice info' }, 'Nearly full: nothing more is queued until it has room. Raise its maxmemory.'),
  );
}

/** @param {Operations} found */
function queuesCard({ queues, outbox }) {
  const rows = queues.map((queue) => [
    queue.name,
    ...[queue.waiting, queue.active, queue.delayed, queue.failed].map((n) => formatNumber(n)),
  ]);
  return el(
    'section',
    { class: 'card wide' },
    el('h3', null, 'Queues'),
    facts(['Outbox, waiting to be relayed', formatNumber(outbox.waiting)]),
    rows.length > 0 && table('Queues', ['Queue', 'Waiting', 'Active', 'Delayed', 'Failed'], rows),
  );
}

function facts(...pairs) {
  return el(
    'dl',
    { class: 'facts-list' },
    pairs.map(([name, value]) => el('div', null, el('dt', null, name), el('dd', null, value))),
  );
}
