/**
 * The engine of a stream that a change log brings: lock, state, fence and sink are those of every other stream; where
 * its changes come from is the log's affair.
 */

import { parseLsn, ZERO_LSN, type Lsn } from '../../../core/change/lsn.ts';
import type { ReplayedLog } from '../../../core/changelog/replayed-log.ts';
import { replayLinks } from '../../../core/changelog/replay-links.ts';
import { isXcError, XcError } from '../../../core/errors/xc-error.ts';
import type { CreateSlot, RemoveLinks, StreamChanges } from '../../../core/plan/plan.ts';
import { newTally } from '../../../core/replication/change-loop.ts';
import type {
  Compared,
  ErroredLink,
  Moved,
  StreamEngine,
  Streamed,
} from '../../../core/replication/engine.ts';
import type { Finding } from '../../../core/validation/finding.ts';
import { slotName, type Link, type LinkId } from '../../../core/topology/link.ts';
import type { Holding } from '../../../core/replication/holding.ts';
import { Beat } from './beat.ts';
import { ChunkStore } from './chunk-store.ts';
import { Control } from './control.ts';
import { clearStatements, refuseRowsOf } from './existing-rows.ts';
import { HeldStore } from './held-store.ts';
import { LinkStore } from './link-store.ts';
import { logSides, runLogSession } from './log-session.ts';
import type { EngineOptions } from './options.ts';
import { linksNamed, throughOutages, type EngineParts } from './parts.ts';
import { asXcError } from './retry.ts';
import { Sessions } from './sessions.ts';
import { dropOrigin } from './slots.ts';
import { TableStore } from './table-store.ts';
import { Holder } from './take-over.ts';
import { TargetSession } from './target-session.ts';

export class LogEngine implements StreamEngine {
  readonly #parts: EngineParts;
  readonly #holder: Holder;
  readonly #session: TargetSession;
  readonly #log: ReplayedLog;
  #epoch = 0;
  /** How the stream last ended, in words that name no value of a row. */
  #outcome = 'released';

  constructor(options: EngineOptions, log: ReplayedLog) {
    const beat: Beat = new Beat(options, () => sessions.target('beat'));
    const sessions = new Sessions(options, beat);
    const control = new Control(options, sessions, beat);
    this.#session = new TargetSession(() => control.target(), options);
    const [store, chunks] = [new LinkStore(this.#session), new ChunkStore(this.#session)];
    const [held, tables] = [new HeldStore(this.#session), new TableStore(this.#session)];
    this.#parts = { options, sessions, control, beat, session: this.#session, store, chunks, held, tables };
    this.#holder = new Holder(this.#parts);
    this.#log = log;
  }

  async holding(): Promise<Holding> {
    return await this.#typed(() => this.#holder.look());
  }

  async acquire(): Promise<void> {
    const { beat, control, store } = this.#parts;
    await this.#typed(async () => {
      const { header, genesis, end } = await this.#log.look(null);
      const { timeline, version, database } = header.source;
      await this.#holder.end(() => control.target());
      const source = {
        systemIdentifier: genesis,
        timeline,
        version,
        database,
        inRecovery: false,
        role: '',
        positions: { insert: end, flush: end, replay: null },
      };
      await store.takeOver(source, beat);
      beat.begin();
      this.#epoch = await this.#parts.store.epoch();
    });
  }

  async confirm(): Promise<void> {
    await this.#typed(() => this.#parts.beat.confirm());
  }

  async checkSlot(step: CreateSlot): Promise<void> {
    if (this.#parts.options.existing !== 'refuse') return;
    await this.#typed(async () => {
      if ((await this.#parts.store.checkpoint(step.slot)) !== null) return;
      const { header, catalogue, tables } = await this.#log.look(null);
      // A log without a copy goes on from rows that are there.
      if (!header.copy) return;
      const links = replayLinks(linksNamed(this.#parts, step.links), tables);
      await refuseRowsOf(await this.#parts.control.reader(), links, catalogue);
    });
  }

  /** Nothing is created but the state in the target: its checkpoint is the log's beginning. */
  async createSlot(step: CreateSlot): Promise<{ slot: string; position: Lsn }> {
    const { slot } = step;
    const { store, options } = this.#parts;
    return await this.#typed(async () => {
      const known = await store.checkpoint(slot);
      if (known !== null) return { slot, position: known };
      await this.checkSlot(step);
      const look = await this.#log.look(null);
      const links = replayLinks(linksNamed(this.#parts, step.links), look.tables);
      const sides = await logSides(this.#parts, look.catalogue, links, 'new');
      if (options.existing === 'replace' && look.header.copy) await this.#clear(links, sides);
      const position = look.header.copy ? ZERO_LSN : parseLsn(look.header.start);
      await store.beginCopy(slot, position, links, sides);
      const consistentAt = parseLsn(look.header.start);
      await store.beginStreaming(links.map(({ id }) => ({ link: id, consistentAt })));
      return { slot, position };
    });
  }

  async streamChanges(
    step: StreamChanges,
    { until, signal }: { until: Lsn | null; signal: AbortSignal },
  ): Promise<Streamed> {
    const end = newTally(ZERO_LSN);
    try {
      await throughOutages(this.#parts, { endless: until === null, signal }, async () => {
        const position = await this.#parts.store.checkpoint(step.slot);
        if (position === null)
          throw new XcError('XC-5001', { subject: step.slot, why: 'the target has no checkpoint for it' });
        end.position = position;
        if (signal.aborted) return;
        await runLogSession(
          this.#parts,
          this.#log,
          { slot: step.slot, until, epoch: this.#epoch },
          end,
          signal,
        );
      });
    } catch (error) {
      if (isXcError(error)) this.#outcome = `failed: ${error.code} ${error.title}: ${error.subject ?? ''}`;
      if (!signal.aborted || error !== signal.reason) throw error;
    }
    this.#outcome = 'released';
    return end;
  }

  async removeLinks(step: RemoveLinks): Promise<{ links: number; removed: readonly string[] }> {
    return await this.#typed(async () => {
      const links = await this.#parts.store.removeLinks(step.links);
      const left = (await this.#parts.store.links()).length;
      return { links, removed: left === 0 ? await this.#dropStream() : [] };
    });
  }

  async dropLink(link: LinkId): Promise<readonly string[]> {
    return await this.#typed(async () => {
      const removed = (await this.#parts.store.deleteLink(link)) ? [`link ${link}`] : [];
      const left = (await this.#parts.store.links()).length;
      return left > 0 ? removed : [...removed, ...(await this.#dropStream())];
    });
  }

  async erroredLinks(): Promise<readonly ErroredLink[]> {
    return await this.#typed(async () =>
      [...(await this.#parts.held.errors())].map(([link, error]) => ({ link, ...error })),
    );
  }

  /** A log keeps everything for itself: links of it are held at no other's price. */
  expireHeld(): Promise<readonly ErroredLink[]> {
    return Promise.resolve([]);
  }

  async sourcePosition(): Promise<Lsn> {
    return await this.#log.end();
  }

  publishTables(): Promise<{ changed: boolean }> {
    return this.#never('publish-tables');
  }

  copyTable(): Promise<{ rows: number; bytes: number; chunks: number }> {
    return this.#never('copy-table');
  }

  handOver(): Promise<Moved> {
    return this.#never('move-links');
  }

  adopt(): Promise<Moved> {
    return this.#never('move-links');
  }

  splitLinks(): Promise<{ links: number; position: Lsn }> {
    return this.#never('split-links');
  }

  mergeLinks(): Promise<{ links: number; position: Lsn }> {
    return this.#never('merge-links');
  }

  removeTables(): Promise<{ tables: number }> {
    return this.#never('remove-tables');
  }

  verify(): Promise<{ findings: readonly Finding[]; tables: number; rows: number }> {
    return this.#never('verify');
  }

  /** @throws XcError XC-1007: a log holds changes, and no state to compare with */
  compare(): Promise<Compared> {
    const { region } = this.#parts.options.stream.source;
    return Promise.reject(
      new XcError('XC-1007', {
        subject: `verify from ${region}`,
        why: 'a change log has no state to compare with',
        next: 'verify between the recorded source and the target',
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.beat[Symbol.asyncDispose]();
    if (this.#parts.control.isHeld) await this.#parts.store.release(this.#outcome).catch(() => {});
    await this.#parts.control[Symbol.asyncDispose]();
  }

  async #clear(links: readonly Link[], sides: Awaited<ReturnType<typeof logSides>>): Promise<void> {
    await this.#session.transaction(async (client) => {
      await client.query('SET LOCAL session_replication_role = replica');
      for (const [name, target] of sides.target.tables) {
        const carried = links.filter((link) => sides.tables.get(link.id)!.has(name));
        if (carried.length === 0) continue;
        for (const { sql, values } of clearStatements(carried, target)) await client.query(sql, [...values]);
      }
    });
  }

  async #dropStream(): Promise<string[]> {
    const { store, control, options } = this.#parts;
    const { key, target } = options.stream;
    const origin = await dropOrigin(await control.reader(), slotName(key));
    await store.deleteStream();
    return origin ? [`origin ${slotName(key)} on ${target.region}`] : [];
  }

  #never(step: string): Promise<never> {
    return Promise.reject(new XcError('XC-9001', { subject: step, why: 'no plan of a change log has it' }));
  }

  async #typed<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw asXcError(error, `stream ${this.#parts.options.stream.key}`);
    }
  }
}
