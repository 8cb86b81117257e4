import type { Instant } from '@tutti/base';
import { type AdmissionMode, type GroupConfig, type LeaseDesk, lineageOf, shardOfGroup } from '@tutti/resource-groups';
import type { ListedGroup } from './core/group-list.js';

/** What can be seen of a desk. */
export type DeskView = Pick<LeaseDesk, 'groups' | 'overAdmission' | 'owned' | 'ownerOf'>;

/** How the limit of a group is kept over all coordinators. */
export interface DealtView {
  /** '' when the file does not know the group. */
  readonly admissionMode: AdmissionMode | '';
  /** Who deals it; undefined when nobody is known. */
  readonly owner?: { readonly id: string; readonly epoch: number };
  /** Known to the owner only. */
  readonly held?: number;
  readonly overAdmission: number;
}

/** How the limit of a listed group is kept over all coordinators, and by whom, as this resource manager knows it now. */
export function dealtView(config: GroupConfig, desk: DeskView, now: Instant) {
  const modes = new Map(config.rootGroups.map(({ template, admissionMode }) => [template, admissionMode]));
  const booked = new Map(desk.groups().map((dealt) => [dealt.group, dealt.booked]));
  const owned = new Set(desk.owned().map(({ shard }) => shard));
  const over = desk.overAdmission();
  return ({ group, template }: Pick<ListedGroup, 'group' | 'template'>): DealtView => {
    const admissionMode = modes.get(rootOf(template)) ?? '';
    if (admissionMode !== 'leased') return { admissionMode, overAdmission: 0 };
    const shard = shardOfGroup(group);
    const known = desk.ownerOf(shard, now);
    return {
      admissionMode,
      ...(known !== undefined && { owner: { id: known.holder.seat, epoch: known.epoch } }),
      ...(owned.has(shard) && { held: booked.get(group) ?? 0 }),
      overAdmission: over.get(group) ?? 0,
    };
  };
}

const rootOf = (path: string): string => [...lineageOf(path)].at(-1) ?? path;
