import { chatOrder } from './chat-order.ts';
import { denMinute } from './den-minute.ts';
import { evenLoadChat } from './even-load-chat.ts';
import { storm } from './storm.ts';
import { twentyTimes } from './twenty-times.ts';

export const scenarios = [denMinute, storm];
export const ownLayout = [chatOrder, evenLoadChat, twentyTimes];
