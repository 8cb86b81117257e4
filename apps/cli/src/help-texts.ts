/** The examples under the help of each command. */
export const EXAMPLES = {
  tutti: `
Examples:
  $ tutti sql "SELECT origin, count(*) FROM flights GROUP BY origin"
  $ tutti status
  $ tutti queries --state running,queued

Exit codes: 0 ok, 1 the query or the request failed, 2 wrong command line,
3 cannot connect, 130 interrupted.
\`tutti help COMMAND\` has more examples.`,
  sql: `
Examples:
  $ tutti sql "SHOW TABLES"
  $ tutti sql -o csv "SELECT * FROM airports" > airports.csv
  $ tutti sql -o jsonl "SELECT * FROM flights" | head -3
  $ tutti sql -f report.sql --catalog tpch --time-limit 5m
  $ echo "SELECT 1; SELECT 2" | tutti sql --ignore-errors

Ctrl-C cancels the query on the server; pressed again it ends the program at once.
BIGINT and DECIMAL values are printed with all their digits, in json and jsonl
as numbers.`,
  status: `
Examples:
  $ tutti status
  $ until tutti status > /dev/null 2>&1; do sleep 1; done   # wait for a cluster
  $ tutti status -o json`,
  nodes: `
Examples:
  $ tutti nodes
  $ tutti nodes -o json`,
  groups: `
Examples:
  $ tutti groups
  $ tutti groups -o json`,
  queries: `
Examples:
  $ tutti queries --state running,queued
  $ tutti queries --user alice --limit 10
  $ tutti queries show 20261122_151200_00001_k3x9q`,
  kill: `
Examples:
  $ tutti kill 20261122_151200_00001_k3x9q --reason "blocks the nightly load"`,
} as const;
