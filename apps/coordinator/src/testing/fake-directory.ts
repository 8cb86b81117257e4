import { nodeId } from '@tutti/base';
import type { DirectoryNode } from '@tutti/discovery';
import type { Directory } from '../node-views.js';

/** The nodes of a cluster, as a test says. */
export class FakeDirectory implements Directory {
  private all: DirectoryNode[] = [];
  private readonly listeners = new Set<() => void>();

  constructor(readonly resourceManagers: () => readonly string[]) {}

  nodes(): readonly DirectoryNode[] {
    return this.all;
  }

  activeWorkers(): readonly DirectoryNode[] {
    return this.all.filter(({ role, state }) => role === 'worker' && state === 'ACTIVE');
  }

  byQuerySuffix(suffix: string): DirectoryNode | undefined {
    return this.all.find(({ querySuffix }) => querySuffix === suffix);
  }

  get(id: string): DirectoryNode | undefined {
    return this.all.find((node) => node.nodeId === id);
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The lives of all nodes of a role that nobody has given up. */
  lives(role: DirectoryNode['role']): readonly DirectoryNode[] {
    return this.all.filter((node) => node.role === role && node.state !== 'GONE');
  }

  add(id: string, node: Partial<DirectoryNode> & Pick<DirectoryNode, 'role'>): void {
    this.all.push({
      nodeId: nodeId(id),
      incarnation: 1,
      version: 1,
      state: 'ACTIVE',
      announcedState: 'ACTIVE',
      clusterAddress: id,
      edgeAddress: id,
      querySuffix: '',
      programVersion: '',
      ageMs: 0,
      ...node,
    });
    this.tell();
  }

  /** Takes a node out, or changes what is said of it. */
  change(id: string, change: Partial<DirectoryNode> | 'gone'): void {
    this.all =
      change === 'gone'
        ? this.all.filter((node) => node.nodeId !== id)
        : this.all.map((node) => (node.nodeId === id ? { ...node, ...change } : node));
    this.tell();
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}
