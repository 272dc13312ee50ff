export const words: readonly string[] = ['conversation', 'check[_-]?ins?\\b', 'sentiment', 'invitation'];
