/** Looks at the streams of the selected links, and shows what the doctor says of them. */

import { EXIT } from '../../core/errors/exit.ts';
import { isXcError, type XcError } from '../../core/errors/xc-error.ts';
import { diagnose, type Diagnosis, type DoctorLook } from '../../core/report/doctor.ts';
import { isoTime } from '../../core/time/clock.ts';
import type { Stream } from '../../core/topology/link.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { doctorView } from './doctor-view.ts';
import { findLink, selectLinks, type Selected, type Selection } from './selection.ts';

export interface DoctorOptions extends Selection {
  readonly link?: string | undefined;
}

export const examineLinks = async (host: Host, options: DoctorOptions): Promise<Outcome> => {
  const selected = await selectOne(host, options);
  const { examine } = await import('../../providers/postgres/examine.ts');
  const failures: XcError[] = [];
  const looks = await Promise.all(
    selected.streams.map((stream) =>
      examine(stream, selected.dsns, host.signal).catch((error: unknown): DoctorLook => {
        host.signal.throwIfAborted();
        if (!isXcError(error)) throw error;
        failures.push(error);
        return unseen(stream, error);
      }),
    ),
  );
  // A server that does not answer is part of the answer; when nothing was seen at all, that is the error.
  if (failures[0] && failures.length === looks.length) throw failures[0];
  const links = diagnose(looks, selected.ids);
  const next = nextOf(links);
  return {
    document: { schemaVersion: 1, at: isoTime(host.clock.nowMs()), links, next },
    records: links,
    exit: exitOf(links),
    table: (paint) => doctorView(links, next, paint),
  };
};

/** One link by its name, or those that the selecting options leave. */
export const selectOne = async (host: Host, { link: name, ...options }: DoctorOptions): Promise<Selected> => {
  const loaded = await host.config();
  if (name === undefined) return await selectLinks(host, loaded, options);
  const link = findLink(loaded, name);
  const selected = await selectLinks(host, loaded, { from: link.source, to: link.target });
  return {
    ...selected,
    links: [link],
    ids: new Set([link.id]),
    streams: selected.streams.filter((stream) => stream.links.some(({ id }) => id === link.id)),
  };
};

const unseen = (stream: Stream, error: XcError): DoctorLook => ({
  stream,
  source: null,
  target: null,
  errors: [`${error.code} ${error.message}`],
});

const exitOf = (links: readonly Diagnosis[]): number => {
  if (links.some((link) => link.verdict === 'gap')) return EXIT.findings;
  return links.some((link) => link.verdict === 'unknown') ? EXIT.unknown : EXIT.done;
};

const nextOf = (links: readonly Diagnosis[]): readonly string[] =>
  links.flatMap(({ link, verdict }) => (verdict === 'gap' ? [`xcrepl replication drop --link ${link}`] : []));
