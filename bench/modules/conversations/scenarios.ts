import { chatOrder } from './chat-order.ts';
import { denMinute } from './den-minute.ts';
import { storm } from './storm.ts';
import { twentyTimes } from './twenty-times.ts';

export const scenarios = [denMinute, chatOrder, storm];
export const ownLayout = [twentyTimes];
