import winkSentiment from 'wink-sentiment';

/**
 * From -1 (bad) to 1 (good); 0 is neutral. AFINN word list with negation and emoji, through wink-sentiment, which gives
 * about -5 to 5 per scored word. wink-nlp gives similar scores but took 104 MB more memory, where this takes 20 (5,000
 * sentences, one process each).
 */
export function scoreSentiment(text: string): number {
  const { normalizedScore } = winkSentiment(text);
  return Math.max(-1, Math.min(1, Math.round((normalizedScore / 5) * 1000) / 1000));
}
