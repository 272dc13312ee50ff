/** Words that belong to this module alone, as regular expressions: no file outside its places may have them. */
export const words: readonly string[] = ['\\bnotes?\\b'];
