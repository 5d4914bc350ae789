/** How far a sync is, on standard error. */

import type { Result } from '../../core/mirror/carry-out.ts';
import type { MirrorWish } from '../../core/mirror/places.ts';
import type { Totals } from '../../core/mirror/totals.ts';
import type { Host } from '../frame/host.ts';
import { bytesText, countText } from '../replication/quantities.ts';

export interface SyncProgress {
  done(result: Result): void;
  end(): void;
}

export const showProgress = (host: Host, { id }: MirrorWish, { objects }: Totals): SyncProgress => {
  const total = objects.copy + objects.replace + objects.same + objects.unknown;
  const task = host.progress(`mirroring ${id}`);
  let seen = 0;
  let bytes = 0;
  return {
    done({ entry, error, bytesSent, outcome, way }) {
      seen += 1;
      bytes += bytesSent;
      if (error !== null) host.narrator.warn(`${entry.key}: ${error.code} ${error.message}`);
      else if (outcome !== 'kept') host.narrator.detail(`${outcome} ${entry.key} (${way})`);
      task.update(seen, total, `${countText(seen)} objects, ${bytesText(bytes)} sent`);
    },
    end: () => task.end(),
  };
};
