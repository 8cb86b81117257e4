// Lints given texts as if they were the content of given files: [{file, code}] on standard input, messages as JSON on
// standard output. For the test that plants violations without touching a file that something else may be reading.
import { readFileSync } from 'node:fs';
import { ESLint } from 'eslint';

const eslint = new ESLint();
const results = [];
for (const { file, code } of JSON.parse(readFileSync(0, 'utf8'))) {
  const [report] = await eslint.lintText(code, { filePath: file });
  results.push(report.messages.map((message) => message.message));
}
process.stdout.write(JSON.stringify(results));
