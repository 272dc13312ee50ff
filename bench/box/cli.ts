/**
 * `npm run box -- --memory 512m --cpus 2 -- <any command>`: runs it in a box and says at the end what it took.
 *
 * Its exit code is handed on; 137 when the kernel killed something in the box for want of memory. 64: the arguments are
 * wrong. 69: nothing on this machine can enforce a limit (`--soft` runs the command all the same, without one).
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { type Box, createBox } from './box.ts';
import { chooseDriver } from './choose-driver.ts';
import { CPUS_MAX, MEMORY_BYTES_MIN } from './limits.ts';
import { parseSize, showSize } from './size.ts';

const USAGE = 'npm run box -- [--memory 512m] [--cpus 2] [--soft] -- <command> [arguments]';
const EXIT_USAGE = 64;
const EXIT_UNAVAILABLE = 69;
const EXIT_OUT_OF_MEMORY = 137;

/** A terminal sends these to everybody in the foreground by itself; passed on, they would arrive twice. */
const FROM_TERMINAL: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];
const FORWARDED: readonly NodeJS.Signals[] = [...FROM_TERMINAL, 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'];

const { memoryBytes, cpus, soft, command } = readArguments(process.argv.slice(2));
const { driver, refused } = await chooseDriver();
if (driver.name === 'none') {
  say(`Nothing on this machine can enforce a limit (--soft runs the command without one):\n  ${refused.join('\n  ')}`);
  if (!soft) process.exit(EXIT_UNAVAILABLE);
}

const box = await createBox({ name: 'command', memoryBytes, cpus, driver });
const code = await runInside(box, command);
const { oomKills } = box.figures();
await box.close();
report(box, code);
process.exitCode = oomKills > 0 ? EXIT_OUT_OF_MEMORY : code;

async function runInside(inside: Box, [program = '', ...rest]: string[]): Promise<number> {
  const line = inside.wrap(program, rest);
  const child = spawn(line.command, line.args, { stdio: 'inherit' });
  for (const signal of FORWARDED) {
    process.on(signal, () => {
      if (!(process.stdin.isTTY && FROM_TERMINAL.includes(signal))) child.kill(signal);
    });
  }
  return new Promise((resolve) => {
    child.once('error', (error) => {
      say(error.message);
      resolve(127);
    });
    child.once('exit', (exitCode, signal) => resolve(exitCode ?? 128 + constants.signals[signal ?? 'SIGKILL']));
  });
}

function report({ enforcedBy, figures }: Box, exitCode: number): void {
  if (enforcedBy === 'none') {
    say(`\nbox: no limit was enforced, nothing was measured; exit code ${exitCode}`);
    return;
  }
  const { limitBytes, peakBytes, neededPeakBytes, cpuSeconds, throttledSeconds, oomKills } = figures();
  const killed = oomKills === 0 ? 'no' : `yes, ${oomKills}: it needs more than ${showSize(limitBytes)}`;
  say(
    [
      '',
      `box (${enforcedBy}, ${showSize(limitBytes)}, ${cpus} CPU)`,
      `  peak memory  ${showSize(peakBytes)} (${showSize(neededPeakBytes)} without cached files)`,
      `  CPU          ${cpuSeconds.toFixed(2)} s, held back by the limit ${throttledSeconds.toFixed(2)} s`,
      `  OOM kill     ${killed}`,
      `  exit code    ${oomKills > 0 ? EXIT_OUT_OF_MEMORY : exitCode}`,
    ].join('\n'),
  );
}

function readArguments(args: string[]) {
  const split = args.indexOf('--');
  const inner = split === -1 ? [] : args.slice(split + 1);
  try {
    const { values, positionals } = parseArgs({
      args: split === -1 ? args : args.slice(0, split),
      allowPositionals: true,
      options: {
        memory: { type: 'string', default: '512m' },
        cpus: { type: 'string', default: '2' },
        soft: { type: 'boolean', default: false },
      },
    });
    const bytes = parseSize(values.memory);
    const cores = Number(values.cpus);
    // npm takes the first `--` for itself on some shells, so a command without one is taken too.
    const line = [...positionals, ...inner];
    if (bytes === undefined || bytes < MEMORY_BYTES_MIN) {
      throw new Error(
        `--memory is a size like 512m or 1g, at least ${showSize(MEMORY_BYTES_MIN)}; not ${values.memory}`,
      );
    }
    if (!(cores >= 0.01 && cores <= CPUS_MAX)) {
      throw new Error(`--cpus is a number of cores from 0.01 to ${CPUS_MAX}; not ${values.cpus}`);
    }
    if (line.length === 0) throw new Error('Which command?');
    return { memoryBytes: bytes, cpus: cores, soft: values.soft, command: line };
  } catch (error) {
    say(`${(error as Error).message}\n${USAGE}`);
    return process.exit(EXIT_USAGE);
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
