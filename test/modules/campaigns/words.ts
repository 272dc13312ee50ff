export const words: readonly string[] = ['campaign', 'reach[ _-]?out'];
