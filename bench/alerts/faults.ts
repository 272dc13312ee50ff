/**
 * One fault for each alert of the platform, planted in a running product where nobody notices it yet: in a second
 * instance, in a server that others stand in for, in a figure that only the mailer looks at.
 */
import { DATABASE_FAULTS } from './database-faults.ts';
import { MACHINE_FAULTS } from './machine-faults.ts';
import { MAIL_FAULTS } from './mail-faults.ts';
import type { PlantedAlert } from './planted-alert.ts';
import { PROCESS_FAULTS } from './process-faults.ts';
import { REDIS_FAULTS } from './redis-faults.ts';

export const FAULTS: readonly PlantedAlert[] = [
  ...MACHINE_FAULTS,
  ...PROCESS_FAULTS,
  ...DATABASE_FAULTS,
  ...REDIS_FAULTS,
  ...MAIL_FAULTS,
];
