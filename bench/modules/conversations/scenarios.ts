import { chatOrder } from './chat-order.ts';
import { denMinute } from './den-minute.ts';
import { durableAnswers } from './durable-answers.ts';
import { evenLoadChat } from './even-load-chat.ts';
import { floods } from './floods.ts';
import { idleSockets } from './idle-sockets.ts';
import { storm } from './storm.ts';
import { storms } from './storms.ts';
import { twentyTimes } from './twenty-times.ts';
import { twoWindows } from './two-windows.ts';

export const scenarios = [denMinute, floods, storm, storms];
export const ownLayout = [chatOrder, evenLoadChat, twoWindows, durableAnswers, idleSockets, twentyTimes];
