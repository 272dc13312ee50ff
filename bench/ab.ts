/**
 * `npm run bench:ab -- <git ref> [--only=<steps>] [--blocks=10] [--starts=2] [--seconds=5] [--rate=150]`: is what is
 * checked out here slower or faster than that version? Both run side by side, each part in a nano of its own, and are asked
 * the same seeded requests in turn (ab/blocks.ts): what else the machine does meets both alike. Ratios are judged, never
 * times, and only what shows again after another start of both, in the other order, is called a difference.
 */
import { randomInt } from 'node:crypto';
import { type Label, orderOf, runBlock } from './ab/blocks.ts';
import { type Copy, checkOut, copyHere } from './ab/copies.ts';
import { FIGURES, type Figure, measure } from './ab/measure.ts';
import { readAbOptions, USAGE } from './ab/options.ts';
import { type Side, startSide } from './ab/start-side.ts';
import { type Judgement, judge, RATIOS_MIN, STARTS_MIN } from './ab/statistics.ts';
import { argumentsOrExit } from './arguments.ts';
import { createRandom } from './load/random.ts';
import { createWorkload } from './load/workload.ts';
import { loadBenches } from './modules.ts';

type Ratios = Record<Figure, number>;

const workload = createWorkload(await loadBenches());
const options = argumentsOrExit(USAGE, (args) => readAbOptions(args, workload));
const random = createRandom(randomInt(2 ** 31));
const late = { A: 0, B: 0 };
let interrupted = false;
process.once('SIGINT', () => {
  interrupted = true;
  console.log('stops after this block');
});

console.log(`A: ${options.ref}; B: what is checked out here`);
const copiesMade: Copy[] = [];
const starts: Ratios[][] = [];
try {
  const copies = { A: keep(checkOut(options.ref)), B: keep(copyHere()) };
  const firstLabels: readonly Label[] = random.below(2) === 0 ? ['A', 'B'] : ['B', 'A'];
  console.log(`\nblock  order   ${FIGURES.map((name) => name.padStart(16)).join('')}   (B / A)`);
  for (let nth = 0; nth < options.starts && !interrupted; nth++) {
    const order = nth % 2 === 0 ? firstLabels : firstLabels.toReversed();
    starts.push(await startAndMeasure(order, (label) => copies[label].root, blocksOf(nth)));
  }
  tell(starts.filter((ratios) => ratios.length > 0));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  for (const { remove } of copiesMade) remove();
}

function keep(copy: Copy): Copy {
  copiesMade.push(copy);
  return copy;
}

/** The numbers of the blocks that are this start's. */
function blocksOf(nth: number): number[] {
  return Array.from({ length: options.blocks }, (_, at) => at + 1).filter((block) => block % options.starts === nth);
}

async function startAndMeasure(order: readonly Label[], rootOf: (label: Label) => string, blocks: number[]) {
  const sides = {} as Record<Label, Side>;
  const ratios: Ratios[] = [];
  try {
    for (const label of order) sides[label] = await startSide(rootOf(label));
    console.log(`       started ${order.join(', then ')}`);
    for (const [label, { faults }] of Object.entries(sides))
      for (const fault of faults) console.log(`inconclusive: ${label}: ${fault}`);
    const run = async (label: Label, seed: number) => (await measure(sides[label], seed, options)).figures;
    // The first block of a start is not counted: nothing is compiled yet, and nothing in memory.
    await runBlock(orderOf(random), 0, run);
    for (const block of blocks) {
      if (interrupted) break;
      const blockOrder = orderOf(random);
      const ratio = await runBlock(blockOrder, block, async (label, seed) => {
        const { figures, isLate } = await measure(sides[label], seed, options);
        if (isLate) late[label]++;
        return figures;
      });
      ratios.push(ratio);
      const cells = FIGURES.map((name) => ratio[name].toFixed(3).padStart(16)).join('');
      console.log(`${String(block).padStart(5)}  ${blockOrder.join(' ')} ${cells}`);
    }
    return ratios;
  } finally {
    for (const side of Object.values(sides)) await side.stop();
  }
}

function tell(measured: readonly Ratios[][]): void {
  const blocks = measured.flat().length;
  if (blocks === 0) return;
  console.log('');
  if (late.A + late.B > 0)
    console.log(
      `inconclusive: the generator itself was late in ${late.A} runs of A and ${late.B} of B, of ${blocks * 2} each`,
    );
  if (blocks < RATIOS_MIN || measured.length < STARTS_MIN)
    console.log(`fewer than ${RATIOS_MIN} blocks or ${STARTS_MIN} starts show no difference, whatever they are`);
  console.log('                 median   99 % interval    B is                  by start');
  for (const name of FIGURES) {
    const ratios = measured.map((start) => start.map((ratio) => ratio[name]));
    console.log(
      `${name.padEnd(15)}  ${ratios.flat().every(Number.isFinite) ? inWords(judge(ratios)) : 'not measured'}`,
    );
  }
}

function inWords({ median, low, high, verdict, byStart }: Judgement): string {
  const interval = `${low.toFixed(3)} to ${high.toFixed(3)}`;
  return `${median.toFixed(3)}    ${interval}   ${verdict.padEnd(19)}   ${byStart.map((one) => one.toFixed(3)).join(', ')}`;
}
