import { subjects } from './corpus/corpus.js';
import { testSubjects } from './corpus-run.js';

const ELSEWHERE = ['joins.sql', 'subqueries.sql', 'trade.sql', 'ctes.sql', 'distinct-sets.sql'];

testSubjects(
  subjects().filter((name) => !ELSEWHERE.includes(name)),
  190,
);
