/**
 * What a run that follows looks at every few seconds: whether the configuration file changed, the states of links in
 * the target, and which tables there are. A configuration that is not valid is warned about once, and the one before stays in force.
 */

import { readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { LoadedConfig } from '../../core/config/loaded.ts';
import { isXcError } from '../../core/errors/xc-error.ts';
import type { FollowWatch } from '../../core/run/follow-ports.ts';
import type { Stream } from '../../core/topology/link.ts';
import { readLinkStates } from '../../providers/postgres/target-state.ts';
import { loadConfiguration } from '../config/load.ts';
import type { Host } from '../frame/host.ts';
import { selectLinks, type Selected } from './selection.ts';
import { StreamSessions, TableWatch } from './watch-tables.ts';

export interface Follower extends AsyncDisposable {
  watch(stream: Stream): FollowWatch;
  /** Of the configuration in force now. */
  selected(): Promise<Selected>;
  /** The same, looked for now. */
  refreshed(): Promise<Selected>;
}

export const followConfiguration = (
  host: Host,
  first: Selected,
  hashKeys: Map<string, Uint8Array>,
): Follower => new ConfigurationFollower(host, first, hashKeys);

const filesIn = async (directory: string): Promise<string[]> => {
  const names = await readdir(directory).catch((): string[] => []);
  return names.toSorted().map((name) => join(directory, name));
};

class ConfigurationFollower implements Follower {
  readonly #host: Host;
  readonly #first: Selected;
  /** The engines' own map: keys of hash rules that come later are added to it. */
  readonly #hashKeys: Map<string, Uint8Array>;
  #loaded: LoadedConfig;
  #stamp: string | null = null;
  readonly #sessions: StreamSessions;
  readonly #tables: TableWatch;

  constructor(host: Host, first: Selected, hashKeys: Map<string, Uint8Array>) {
    this.#host = host;
    this.#first = first;
    this.#loaded = first.loaded;
    this.#hashKeys = hashKeys;
    this.#sessions = new StreamSessions(first.dsns, host.signal);
    this.#tables = new TableWatch(this.#sessions, host.clock);
  }

  watch(stream: Stream): FollowWatch {
    return {
      state: async () => {
        await this.#reload();
        const links = await this.#links(stream);
        return `${this.#loaded.digest} ${await this.#tables.stamp(stream)} ${links.text}`;
      },
      dropping: async () => (await this.#links(stream)).dropping,
    };
  }

  async selected(): Promise<Selected> {
    if (this.#loaded === this.#first.loaded) return this.#first;
    for (const [name, reference] of Object.entries(this.#loaded.config.hashKeys))
      this.#hashKeys.set(name, Buffer.from(await this.#host.secret(reference)));
    const now = await selectLinks(this.#host, this.#loaded, {});
    const keys = new Set(this.#first.streams.map((stream) => stream.key));
    const streams = now.streams.filter((stream) => keys.has(stream.key));
    return { ...now, streams, ids: this.#idsOf(streams) };
  }

  async refreshed(): Promise<Selected> {
    await this.#reload();
    return await this.selected();
  }

  /** Links that the run was not asked for stay out, unless they came with the configuration. */
  #idsOf(streams: readonly Stream[]): Set<string> {
    const before = new Set(this.#first.streams.flatMap((stream) => stream.links.map((link) => link.id)));
    const now = streams.flatMap((stream) => stream.links.map((link) => link.id));
    return new Set(now.filter((id) => this.#first.ids.has(id) || !before.has(id)));
  }

  async #reload(): Promise<void> {
    const { path } = this.#first.loaded;
    if (path === null) return;
    const stamp = await this.#stampOf(path);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    const { flags, env, cwd } = this.#host;
    try {
      const loaded = await loadConfiguration({ flag: flags.config, env, cwd });
      if (loaded.digest === this.#loaded.digest) return;
      this.#loaded = loaded;
      this.#host.narrator.info('the configuration has changed');
    } catch (error) {
      const text = isXcError(error) ? `${error.code} ${error.message}` : String(error);
      this.#host.narrator.warn(`the changed configuration is not valid, and is left aside: ${text}`);
    }
  }

  /** Of the file, and of everything beside the manifests that it names. */
  async #stampOf(path: string): Promise<string> {
    const { manifests } = this.#loaded.config.signing ?? {};
    const beside = manifests === undefined ? [] : await filesIn(resolve(dirname(path), manifests));
    const stamps = await Promise.all(
      [path, ...beside].map((file) =>
        stat(file).then(
          ({ mtimeMs, size, ino }) => `${file} ${mtimeMs} ${size} ${ino}`,
          (error: unknown) => String(error),
        ),
      ),
    );
    return stamps.join('\n');
  }

  async #links(stream: Stream): ReturnType<typeof readLinkStates> {
    return await this.#sessions.ask(stream, 'target', (client) => readLinkStates(client, stream.key));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sessions[Symbol.asyncDispose]();
  }
}
