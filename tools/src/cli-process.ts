import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the `tutti` command as a process of its own, as a user would. Without `capture` it shares this terminal. */
export function runCli(
  root: string,
  argv: readonly string[],
  options: { readonly capture?: boolean; readonly signal?: AbortSignal; readonly input?: string } = {},
): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const output = options.capture ? 'pipe' : 'inherit';
    const child = spawn(process.execPath, [join(root, 'apps/cli/bundle/main.mjs'), ...argv], {
      stdio: [options.input === undefined ? 'ignore' : 'pipe', output, output],
    });
    const interrupt = () => child.kill('SIGINT');
    options.signal?.addEventListener('abort', interrupt, { once: true });
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin?.end(options.input);
    child.once('error', reject);
    child.once('close', (code) => {
      options.signal?.removeEventListener('abort', interrupt);
      resolve({ exitCode: code ?? 130, stdout, stderr });
    });
  });
}
