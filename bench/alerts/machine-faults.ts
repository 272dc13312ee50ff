/** Faults that the alerts about memory, CPU, disk and certificate must notice. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { eatMemory, provokeOutOfMemory, takeCpu } from './plant-memory.ts';
import { NOTHING, type PlantedAlert } from './planted-alert.ts';

const MB = 2 ** 20;

export const MACHINE_FAULTS: readonly PlantedAlert[] = [
  {
    rule: 'MemoryNearLimit',
    fault: 'something else in the box of chat-2 takes memory, until it reports 87 % of its limit',
    group: 0,
    plant: async (context) => eatMemory(context, 0.87),
  },
  {
    rule: 'DiskFilling',
    fault: 'the watched disk is filled to 90 %',
    group: 0,
    plant: async ({ disk }) => writeFileSync(path.join(disk, 'filling'), Buffer.alloc(14.4 * MB)) ?? NOTHING,
  },
  {
    rule: 'CertificateExpiring',
    fault: 'the certificate behind API_URL ends in 3 days',
    group: 0,
    fromTheStart: true,
    plant: async () => NOTHING,
  },
  {
    rule: 'CpuThrottled',
    fault: 'the box of chat-2 gets a fifth of one CPU, and something else in it wants all of it',
    group: 3,
    plant: takeCpu,
  },
  {
    rule: 'OutOfMemory',
    fault: 'the kernel kills chat-2 for its memory, and its platform starts it again',
    group: 5,
    plant: provokeOutOfMemory,
  },
];
