import { formatNumber } from '/assets/format.js';
import { figure } from '/assets/parts.js';
import { conversationView } from './conversation.js';
import { conversationsView } from './conversations.js';

export const links = [{ path: '/conversations', text: 'Conversations', icon: 'talk' }];
export const views = [
  { pattern: /^\/conversations$/, view: conversationsView },
  { pattern: /^\/conversations\/(\d+)$/, view: conversationView },
];
export const styles = ['/modules/conversations/bubbles.css', '/modules/conversations/conversations.css'];

export const home = {
  figures: ({ openConversations }) =>
    figure('Open conversations', formatNumber(openConversations), 'begun in the last 24 hours', '#/conversations'),
};
