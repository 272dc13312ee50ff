export const COPIED_ROWS = 2_000; // at a time: 2 MB of rows with long texts
export const ASK_MS = 5_000; // for which an address may take its time to say what it is
