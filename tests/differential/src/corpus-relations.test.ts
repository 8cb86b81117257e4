import { testSubjects } from './corpus-run.js';

testSubjects(['joins.sql', 'subqueries.sql', 'trade.sql', 'ctes.sql', 'distinct-sets.sql'], 200);
