// Decides what a look at the file of resource groups means.
//   R1. The last good groups hold until there are other good ones: nothing that happens to the file undoes them.
//   R2. A wrong file is told when two looks in a row find it wrong in the same way: writing takes some editors two steps.
//   R3. What is wrong is told once, and so is that it is right again.
import type { ParsedGroupConfig } from '@tutti/resource-groups';

/** What the file held at one look. */
export interface FileContent {
  /** The same for the same content: its version, or why it cannot be read. */
  readonly key: string;
  readonly parsed: ParsedGroupConfig;
}

/** What to do: `apply` new groups, tell that the file `failed`, tell that it `recovered`, or nothing. */
export type Verdict = 'apply' | 'failed' | 'recovered' | 'nothing';

export class ReloadRules {
  /** The key of what was wrong at the last look. */
  private suspected: string | undefined;
  /** The key of what is wrong and was told. */
  private told: string | undefined;

  /** `key`: of the groups that hold. */
  constructor(private key: string) {}

  looked({ key, parsed }: FileContent): Verdict {
    if ('problems' in parsed) return this.foundWrong(key);
    const wasTold = this.told !== undefined;
    this.suspected = undefined;
    this.told = undefined;
    if (key === this.key) return wasTold ? 'recovered' : 'nothing';
    this.key = key;
    return 'apply';
  }

  private foundWrong(key: string): Verdict {
    if (key === this.told) return 'nothing';
    const isSure = key === this.suspected;
    this.suspected = key;
    if (!isSure) return 'nothing';
    this.told = key;
    return 'failed';
  }
}
