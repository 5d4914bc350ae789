import { expect, test } from 'vitest';
import { parseConfig } from '../../../test/engine/parse-config.ts';
import { baseConfig } from '../../../test/harness/pair-files.ts';
import type { LoadedConfig } from '../../core/config/loaded.ts';
import type { Host } from '../frame/host.ts';
import { selectLinks, type Selection } from './selection.ts';

test('a selection that leaves nothing names what was asked for, and no other option', async () => {
  const loaded = { config: parseConfig(baseConfig('/nowhere')) } as LoadedConfig;
  const select = (wish: Selection & { readonly interval?: number }) => selectLinks({} as Host, loaded, wish);
  await expect(select({ interval: 2000, tier: 'warm', to: undefined })).rejects.toMatchObject({
    code: 'XC-1304',
    why: '0 links in the configuration, none for --tier warm',
  });
  await expect(select({ interval: 2000 })).rejects.toMatchObject({ why: expect.stringMatching(/any rule$/) });
});
