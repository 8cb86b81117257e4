import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Manifests, Workload } from '../manifests.js';
import { mountedFiles } from '../role-config.js';
import type { ImageLayout } from './image-layout.js';
import { instructionsOf, workingDirectory } from './dockerfile.js';

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * One pod of a workload, run on this machine: the image's entry point with the manifest's arguments, variables and
 * mounted files. Paths of the container stand below a directory, which is the only difference that the program sees;
 * `overrides` are for what another machine would give, such as its own address.
 */
export class PodReplay {
  private readonly command: readonly string[];
  private readonly env: Readonly<Record<string, string>>;
  private readonly children: { process: ChildProcess; ended: Promise<Ended> }[] = [];
  private refreshes = 0;

  constructor(
    private readonly image: ImageLayout,
    manifests: Manifests,
    readonly workload: Workload,
    private readonly overrides: { readonly directory: string; readonly env: Readonly<Record<string, string>> },
  ) {
    const { container, name } = workload;
    const entrypoint = instructionsOf(image.stage, 'ENTRYPOINT').at(-1)?.args ?? [];
    this.command = [...entrypoint.slice(1), ...(container.args ?? []).map((argument) => this.here(argument))];
    const fields: Record<string, string> = { 'metadata.name': `${name}-0`, 'status.podIP': '127.0.0.1' };
    const declared = (container.env ?? []).map((variable) => [
      variable.name,
      this.here(variable.value ?? fields[variable.valueFrom?.fieldRef?.fieldPath ?? ''] ?? ''),
    ]);
    this.env = {
      PATH: process.env['PATH'] ?? '',
      TMPDIR: this.here('/tmp'),
      ...(Object.fromEntries(declared) as Record<string, string>),
      ...overrides.env,
    };
    for (const { mountPath } of container.volumeMounts ?? []) mkdirSync(this.here(mountPath), { recursive: true });
    this.refresh(manifests);
  }

  /** Gives the pod the files of the ConfigMaps as they are now, as kubelet does: all files of a volume at once. */
  refresh(manifests: Manifests): void {
    const version = `..version_${++this.refreshes}`;
    const folders = new Set<string>();
    for (const [path, content] of mountedFiles(manifests, this.workload)) {
      const file = this.here(path);
      const folder = dirname(file);
      folders.add(folder);
      mkdirSync(join(folder, version), { recursive: true });
      writeFileSync(join(folder, version, basename(file)), this.here(content));
      if (!existsSync(file)) {
        rmSync(file, { force: true });
        symlinkSync(join('..data', basename(file)), file);
      }
    }
    for (const folder of folders) {
      symlinkSync(version, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    }
  }

  /** Runs the program with more arguments until it ends by itself. */
  run(...more: readonly string[]): Ended {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...this.command, ...more], {
      cwd: this.image.path(workingDirectory(this.image.stage)),
      env: this.env,
      encoding: 'utf8',
      timeout: 30_000,
    });
    return { exitCode: status, stdout, stderr };
  }

  start(): void {
    const child = spawn(process.execPath, this.command, {
      cwd: this.image.path(workingDirectory(this.image.stage)),
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = new Promise<Ended>((resolve) => {
      child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
    });
    this.children.push({ process: child, ended });
  }

  /** What kubelet does to end a pod: SIGTERM, then SIGKILL when the grace is over. */
  async terminate(): Promise<Ended | undefined> {
    const last = this.children.at(-1);
    if (last === undefined) return undefined;
    last.process.kill('SIGTERM');
    const graceMs = (this.workload.pod.terminationGracePeriodSeconds ?? 30) * 1_000;
    const timer = setTimeout(() => last.process.kill('SIGKILL'), graceMs);
    const ended = await last.ended;
    clearTimeout(timer);
    return ended;
  }

  /** Resolves when the program has ended by itself. */
  ended(): Promise<Ended> | undefined {
    return this.children.at(-1)?.ended;
  }

  kill(): void {
    for (const { process: child } of this.children) child.kill('SIGKILL');
    rmSync(this.overrides.directory, { recursive: true, force: true });
  }

  /** The text with every path of the container replaced by its place on this machine. */
  private here(text: string): string {
    const app = workingDirectory(this.image.stage);
    const mounts = (this.workload.container.volumeMounts ?? []).map(({ mountPath }) => mountPath);
    // In one pass, since this machine's paths may begin like the container's.
    const paths = [app, ...mounts].sort((a, b) => b.length - a.length);
    return text.replace(new RegExp(`(?<![\\w/.-])(?:${paths.join('|')})(?![\\w.-])`, 'g'), (path) =>
      path === app ? this.image.path(app) : join(this.overrides.directory, path),
    );
  }
}
