/** The licences of the packages that end up in the bundle, as their terms ask: dist/licences.txt. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'rolldown';

export const bundledLicences: Plugin = {
  name: 'bundled-licences',
  generateBundle() {
    const packages = new Set<string>();
    for (const id of this.getModuleIds()) {
      const root = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0];
      if (root !== undefined) packages.add(root);
    }
    const source = [...packages].toSorted().map(notice).join('\n');
    this.emitFile({ type: 'asset', fileName: 'licences.txt', source });
  },
};

const notice = (root: string): string => {
  const { name, version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
    readonly license?: string;
  };
  const file = readdirSync(root).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? '' : readFileSync(join(root, file), 'utf8').trim();
  return `${name} ${version} (${license ?? 'see below'})\n\n${text}\n\n${'-'.repeat(80)}\n`;
};
