import type { Step } from './plan.ts';

/** What a step works on, in a few words. */
export const subjectOf = (step: Step): string => {
  switch (step.kind) {
    case 'publish-tables':
      return `${step.publication}: ${step.tables.length + step.insertOnly.length} tables`;
    case 'copy-table':
      return step.into === undefined ? step.table : `${step.table} as ${step.into}`;
    case 'repair-rows':
      return `${step.table}: ${step.rows.length} rows`;
    case 'create-slot':
    case 'stream-changes':
    case 'merge-links':
      return step.slot;
    case 'remove-tables':
      return step.tables.length === 1 ? (step.tables[0]?.table ?? '') : `${step.tables.length} tables`;
    case 'split-links':
    case 'move-links':
    case 'remove-links':
    case 'verify':
      return step.links.length === 1 ? (step.links[0] ?? '') : `${step.links.length} links`;
  }
};
