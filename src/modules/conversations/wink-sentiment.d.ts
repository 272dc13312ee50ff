declare module 'wink-sentiment' {
  /** Scores of one text; `normalizedScore` is the score per word that has one. */
  const winkSentiment: (text: string) => { score: number; normalizedScore: number };
  // biome-ignore lint/style/noDefaultExport: the package has a default export
  export default winkSentiment;
}

/** The word lists of the scorer and of its tokenizer. */
declare module 'wink-sentiment/src/*.js' {
  const list: Readonly<Record<string, number>>;
  // biome-ignore lint/style/noDefaultExport: the package has a default export
  export default list;
}
declare module 'wink-tokenizer/src/eng-contractions.js' {
  const list: Readonly<Record<string, unknown>>;
  // biome-ignore lint/style/noDefaultExport: the package has a default export
  export default list;
}
