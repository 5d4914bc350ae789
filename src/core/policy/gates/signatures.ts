/** P2: manifests take effect only when signed. Where a key is missing in simulation, they do, and the gate says so. */

import { blocked, count, fail, pass, unknown, type PolicyGate } from './gate.ts';

export interface DocumentFact {
  /** As a person names it: "tenant manifest acme". */
  readonly name: string;
  /** Name of the trusted key whose signature holds; null where none does. */
  readonly signedBy: string | null;
  /** Why not, where none does. */
  readonly problem: string | null;
}

export const signatures: PolicyGate = {
  id: 'P2',
  name: 'signatures',
  branches: ['unknown', 'no-documents', 'unsigned', 'unsigned-simulated', 'signed'],
  decide({ mode }, { documents }) {
    if (!documents) return unknown('which manifests are in force');
    if (documents.length === 0)
      return pass('no-documents', 'no manifest is in force: the configuration file is taken as it is');
    const open = documents.filter(({ signedBy }) => signedBy === null);
    if (open.length > 0) {
      const said = open.map(({ name, problem }) => `${name}: ${problem ?? 'no signature'}`).join('; ');
      return mode === 'simulation' ? blocked('unsigned-simulated', said) : fail('unsigned', said);
    }
    const keys = [...new Set(documents.map(({ signedBy }) => signedBy))].join(', ');
    return pass('signed', `${count(documents.length, 'manifest')} signed by ${keys}`);
  },
};
