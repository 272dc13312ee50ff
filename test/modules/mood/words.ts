export const words: readonly string[] = ['\\bmoods?\\b', '\\bmood[_A-Z]'];
