/**
 * Preloaded into a program (`--import`): SIGUSR2 begins a CPU profile, and the next one writes it to $CPU_PROFILE. Unlike
 * `node --cpu-prof` it leaves out the start, and the program goes on.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

const file = process.env['CPU_PROFILE'];
if (file === undefined) throw new Error('Set CPU_PROFILE to the file that the profile is written to.');
const INTERVAL_US = 200;
const session = new Session();
session.connect();
let isOn = false;

process.on('SIGUSR2', async () => {
  isOn = !isOn;
  if (isOn) {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US });
    await session.post('Profiler.start');
  } else {
    const { profile } = await session.post('Profiler.stop');
    writeFileSync(`${file}.part`, JSON.stringify(profile));
    renameSync(`${file}.part`, file);
  }
});
