import { el } from '../el.js';
import { formatAgo, formatBytes, formatMs, formatNumber, formatPercent } from '../format.js';
import { bar } from '../parts.js';
import { sparkline } from '../sparkline.js';

/** @typedef {Answer<'/api/v1/operations', 'get'>['processes'][number]} Process */

const SILENT_AFTER_MS = 6_000;
const HISTORY_POINTS_MAX = 90;
const POOL = /^pool_(.+)_(used|max|waiting)$/;

/**
 * One process: how full, how quick, how busy. `history` (Map) is read and extended.
 * @param {Process} process
 */
export function processCard(process, history) {
  const silent = Date.now() - Date.parse(process.reportedAt) > SILENT_AFTER_MS;
  const past = remember(history, process);
  const { memory, eventLoopDelayMs: delay } = process;
  const used = memory.containerUsedBytes ?? memory.rssBytes;
  const share = used / memory.limitBytes;
  const text = `${formatBytes(used)} of ${formatBytes(memory.limitBytes)}`;
  return el(
    'section',
    { class: silent ? 'card process silent' : 'card process' },
    el('h3', null, process.name, ' ', el('small', { class: 'soft' }, `pid ${process.pid}`), ' ', mark(process, silent)),
    row('Memory', text, memory.limitIsEnforced ? null : 'not enforced here'),
    bar(`Memory of ${process.name}`, [{ share, kind: share > 0.85 ? 'bad' : 'good' }], text),
    sparkline(
      past.map((one) => one.used),
      memory.limitBytes,
      `Memory of ${process.name}, last minutes`,
    ),
    row('Heap', `${formatBytes(memory.heapUsedBytes)} of ${formatBytes(memory.heapLimitBytes)}`),
    row('Loop p50 · p99', `${formatMs(delay.p50)} · ${formatMs(delay.p99)}`),
    sparkline(
      past.map((one) => one.p99),
      20,
      `Event-loop delay of ${process.name}, last minutes`,
    ),
    row('CPU', formatPercent(process.cpuShare)),
    sparkline(
      past.map((one) => one.cpu),
      1,
      `CPU of ${process.name}, last minutes`,
    ),
    pools(process.gauges).map(({ name, used: taken, max, waiting }) =>
      row(`Pool ${name}`, `${taken} of ${max}`, waiting > 0 ? `${waiting} waiting` : null),
    ),
    others(process.gauges).map((gauge) => row(...described(gauge, process.words))),
  );
}

/** @param {Process} process */
function mark(process, silent) {
  if (silent) return el('span', { class: 'status bad' }, `silent, last heard ${formatAgo(process.reportedAt)}`);
  return el('span', { class: 'status good' }, `started ${formatAgo(process.startedAt)}`);
}

/** @param {Map<string, any[]>} history
 * @param {Process} process */
function remember(history, { name, pid, reportedAt, memory, eventLoopDelayMs, cpuShare }) {
  const key = `${name}/${pid}`;
  const past = history.get(key) ?? [];
  if (past.at(-1)?.reportedAt !== reportedAt) {
    past.push({
      reportedAt,
      used: memory.containerUsedBytes ?? memory.rssBytes,
      p99: eventLoopDelayMs.p99,
      cpu: cpuShare,
    });
  }
  if (past.length > HISTORY_POINTS_MAX) past.shift();
  history.set(key, past);
  return past;
}

function row(name, value, note) {
  return el(
    'p',
    { class: 'row' },
    el('span', { class: 'soft' }, name),
    el('span', null, value, note && el('small', { class: 'soft' }, ` ${note}`)),
  );
}

/** @param {Process['gauges']} gauges */
function pools(gauges) {
  const found = new Map();
  for (const [name, value] of Object.entries(gauges)) {
    const [, pool, what] = POOL.exec(name) ?? [];
    if (pool) found.set(pool, { name: pool, used: 0, max: 0, waiting: 0, ...found.get(pool), [what]: value });
  }
  return [...found.values()];
}

/** @param {Process['gauges']} gauges */
const others = (gauges) => Object.entries(gauges).filter(([name]) => !POOL.test(name));

const WHILE = /^1 while /;
/** By the end of the name: the value with its unit. */
/** @type {[ending: RegExp, format: (value: number) => string][]} */
const UNITS = [
  [/_bytes$/, formatBytes],
  [/_seconds$/, (seconds) => formatMs(seconds * 1_000)],
  [/_share$/, formatPercent],
  [/_per_second(?:_max)?$/, (rate) => `${formatNumber(rate)} a second`],
];

/**
 * What a gauge is called, and its value with a unit.
 * @param {[name: string, value: number]} gauge
 * @param {Process['words']} words
 */
function described([name, value], words = {}) {
  const help = words[name] ?? name.replaceAll('_', ' ');
  if (WHILE.test(help)) return [capital(help.replace(WHILE, '')), value === 0 ? 'no' : 'yes'];
  const [, format] = UNITS.find(([ending]) => ending.test(name)) ?? [null, formatNumber];
  return [capital(help), format(value)];
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
