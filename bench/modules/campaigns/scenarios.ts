import { mailChaos } from './mail-chaos.ts';
import { monday } from './monday.ts';
import { twoMailers } from './two-mailers.ts';

export const scenarios = [monday];
export const ownLayout = [mailChaos, twoMailers];
