/** The catalogs cannot be served; `problems` has one sentence for each thing to mend. */
export class CatalogError extends Error {
  override readonly name = 'CatalogError';

  constructor(readonly problems: readonly string[]) {
    super(`the catalogs are wrong:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}
