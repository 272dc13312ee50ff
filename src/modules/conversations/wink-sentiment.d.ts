declare module 'wink-sentiment' {
  /** Scores of one text; `normalizedScore` is the score per word that has one. */
  const winkSentiment: (text: string) => { score: number; normalizedScore: number };
  // biome-ignore lint/style/noDefaultExport: the package has a default export
  export default winkSentiment;
}
