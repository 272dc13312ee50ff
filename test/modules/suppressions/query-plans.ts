export const indexesAcross = {
  suppressions_lifted: 'retention deletes what is old in all organisations',
};
