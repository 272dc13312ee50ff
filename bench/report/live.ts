import { styleText } from 'node:util';
import { duration, megabytes, milliseconds, number } from './format.ts';

/** What the watcher knows at one moment; whatever is not known is left out. */
export interface LiveSample {
  readonly scenario: string;
  readonly elapsedSeconds: number;
  readonly dueSeconds: number;
  readonly boxes: Readonly<Record<string, LiveBox>>;
  readonly load?: {
    readonly perSecond: number;
    readonly p99Ms: number;
    readonly inFlight: number;
    readonly failed: number;
    readonly wrong: number;
  };
  readonly queued?: number;
  readonly replicaLagMs?: number | null;
}

export interface LiveBox {
  readonly usedBytes: number;
  readonly limitBytes: number;
  /** Of one core. */
  readonly cpuShare?: number;
  readonly eventLoopDelayP99Ms?: number;
  /** Callers that wait for a database connection. */
  readonly poolWaiting?: number;
  readonly oomKills?: number;
}

export interface LiveView {
  show(sample: LiveSample): void;
  /** A line that stays, above the view. */
  say(line: string): void;
  end(): void;
}

interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const BAR_CHARS = 24;
const PLAIN_EVERY_SECONDS = 5;
const TIGHT = 0.75;
const FULL = 0.9;

/** On a terminal a view that is drawn again in place; elsewhere a line every few seconds. */
export function createLiveView(output: Output = process.stdout): LiveView {
  return output.isTTY === true ? drawn(output) : plain(output);
}

function drawn(output: Output): LiveView {
  let height = 0;
  let last: LiveSample | undefined;
  const clear = () => {
    if (height > 0) output.write(`\x1b[${height}A\x1b[J`);
    height = 0;
  };
  const draw = (sample: LiveSample) => {
    // A line that the terminal wraps would count twice, and the next clearing would miss it.
    const lines = liveLines(sample, output.columns ?? 100);
    output.write(`${lines.join('\n')}\n`);
    height = lines.length;
  };
  return {
    show(sample) {
      clear();
      last = sample;
      draw(sample);
    },
    say(line) {
      clear();
      output.write(`${line}\n`);
      if (last !== undefined) draw(last);
    },
    end() {
      clear();
      last = undefined;
    },
  };
}

function plain(output: Output): LiveView {
  let shown = { scenario: '', at: 0 };
  return {
    show(sample) {
      const { scenario, elapsedSeconds, load, boxes } = sample;
      if (scenario === shown.scenario && elapsedSeconds - shown.at < PLAIN_EVERY_SECONDS) return;
      shown = { scenario, at: elapsedSeconds };
      const memory = Object.entries(boxes).map(([name, { usedBytes }]) => `${name} ${megabytes(usedBytes)}`);
      output.write(
        `${[`${scenario} ${duration(elapsedSeconds)}`, ...(load === undefined ? [] : [loadText(load)]), ...memory].join(' · ')}\n`,
      );
    },
    say: (line) => void output.write(`${line}\n`),
    end: () => undefined,
  };
}

/** The view, one text per line, each at most `columns` wide. */
export function liveLines(sample: LiveSample, columns: number): string[] {
  const { scenario, elapsedSeconds, dueSeconds, boxes, load, queued, replicaLagMs } = sample;
  const share = dueSeconds > 0 ? Math.min(1, elapsedSeconds / dueSeconds) : 0;
  const elapsed = duration(elapsedSeconds);
  // Not everything knows how long it will take.
  const time = dueSeconds > 0 ? `${bar(share)}  ${elapsed} of ${duration(dueSeconds)}` : elapsed;
  const extras = [
    ...(load === undefined ? [] : [loadText(load)]),
    ...(queued === undefined ? [] : [`${number(queued)} queued`]),
    ...(typeof replicaLagMs === 'number' ? [`replica ${milliseconds(replicaLagMs)} behind`] : []),
  ];
  const nameChars = Math.max(8, ...Object.keys(boxes).map((name) => name.length));
  return [
    `${scenario}  ${time}`.slice(0, columns),
    `  ${extras.join(' · ')}`.slice(0, columns),
    ...Object.entries(boxes).map(([name, box]) => boxLine(name.padEnd(nameChars), box, columns)),
  ];
}

function boxLine(name: string, box: LiveBox, columns: number): string {
  const share = box.limitBytes > 0 ? box.usedBytes / box.limitBytes : 0;
  const memory = `${megabytes(box.usedBytes).padStart(6)} of ${megabytes(box.limitBytes)}`;
  const rest = [
    ...(box.cpuShare === undefined ? [] : [`CPU ${(box.cpuShare * 100).toFixed(0).padStart(3)} %`]),
    ...(box.eventLoopDelayP99Ms === undefined ? [] : [`loop ${milliseconds(box.eventLoopDelayP99Ms)}`]),
    ...(box.poolWaiting ? [`${box.poolWaiting} wait for a connection`] : []),
    ...(box.oomKills ? [`KILLED ${box.oomKills}×`] : []),
  ];
  const text = `  ${name} ${bar(share)} ${memory}  ${rest.join('  ')}`.slice(0, columns).trimEnd();
  if (share < TIGHT && !box.oomKills) return text;
  return styleText(share < FULL && !box.oomKills ? 'yellow' : 'red', text, { validateStream: false });
}

function bar(share: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * BAR_CHARS);
  return '█'.repeat(filled) + '░'.repeat(BAR_CHARS - filled);
}

function loadText({ perSecond, p99Ms, inFlight, failed, wrong }: NonNullable<LiveSample['load']>): string {
  const bad = `${failed > 0 ? `, ${number(failed)} failed` : ''}${wrong > 0 ? `, ${number(wrong)} WRONG` : ''}`;
  return `${number(perSecond)}/s, p99 ${milliseconds(p99Ms)}, ${number(inFlight)} in flight${bad}`;
}
