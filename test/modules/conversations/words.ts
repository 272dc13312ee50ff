export const words: readonly string[] = ['conversation', 'sentiment'];
