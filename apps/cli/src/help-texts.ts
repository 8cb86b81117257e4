/** The examples under the help of each command. */
export const EXAMPLES = {
  tutti: `
Examples:
  $ tutti sql "SELECT origin, count(*) FROM flights GROUP BY origin"
  $ tutti status
  $ tutti queries --state running,queued
  $ tutti queries why

Exit codes: 0 ok, 1 the query or the request failed, 2 wrong command line,
3 cannot connect, 130 interrupted.
\`tutti help COMMAND\` has more examples.`,
  sql: `
Examples:
  $ tutti sql "SHOW TABLES"
  $ tutti sql -o csv "SELECT * FROM airports" > airports.csv
  $ tutti sql -o jsonl "SELECT * FROM flights" | head -3
  $ tutti sql -f report.sql --catalog tpch --time-limit 5m
  $ tutti sql -f load.sql --client-tags nightly,etl --priority 10 --memory-limit 2GB
  $ echo "SELECT 1; SELECT 2" | tutti sql --ignore-errors
  $ tutti sql -o parquet --output-file delays.parquet "SELECT * FROM flights WHERE delay > 60"
  $ tutti sql --session distribution=single "EXPLAIN SELECT count(*) FROM flights"

While a query waits, the progress line tells its place (#3), how long it will
wait as far as can be told, and why. Of the limits that the command line, the
resource group and the coordinator give, the least holds.
The progress line of a query that runs in stages on several workers counts its
stages and tasks. SET SESSION and RESET SESSION hold for the statements after
them in the same command.
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
  $ tutti groups global.adhoc
  $ tutti groups validate resource-groups.json
  $ tutti groups which --user alice --source superset

A group whose name holds a dot is quoted inside the path, and the path for the
shell: tutti groups 'global."alice.smith"'`,
  validate: `
Examples:
  $ tutti groups validate resource-groups.json
  $ kubectl get configmap tutti-resource-groups -o jsonpath='{.data.resource-groups\\.json}' |
      tutti groups validate -

Each problem is a line "FILE:line:column: ..."; all of them are printed at once.
The version is that which \`tutti groups\` tells of nodes that keep to the file.`,
  which: `
Examples:
  $ tutti groups which
  $ tutti groups which --user alice --source superset --client-tags nightly,etl
  $ tutti groups which --file resource-groups.json --user alice --query-type explain

Without options it tells where your own \`tutti sql\` would go.`,
  writeOff: `
Examples:
  $ tutti groups write-off coordinator-2

Every resource manager frees what it has booked. If something of the coordinator
does run still, more queries than the limit run until it ends. The exit code is 1
when one of them did not answer: try again.`,
  queries: `
Examples:
  $ tutti queries --state running,queued
  $ tutti queries --user alice --limit 10
  $ tutti queries show 20261122_151200_00001_k3x9q
  $ tutti queries why 20261122_151200_00001_k3x9q`,
  why: `
Examples:
  $ tutti queries why 20261122_151200_00001_k3x9q
  $ tutti queries why
  $ tutti queries why --group global.adhoc --limit 10
  $ tutti queries why -o json | jq '.[] | [.queryId, .waitReason.message]'`,
  kill: `
Examples:
  $ tutti kill 20261122_151200_00001_k3x9q --reason "blocks the nightly load"`,
} as const;
