/** `replication status --watch` on a terminal: one screen that is drawn again. Loaded only there. */

import { Box, render, Text } from 'ink';
import { createElement, type ReactElement } from 'react';
import { isFinding } from '../../core/report/status.ts';
import type { LinkStatus } from '../../core/report/link-status.ts';
import { STATUS_HEAD, statusCells } from '../replication/status-view.ts';

/**
 * @param current what to show now
 * @param again waits and looks; false ends the watching
 */
export const watchScreen = async (
  current: () => readonly LinkStatus[],
  again: () => Promise<boolean>,
): Promise<void> => {
  // The frame has its own handling of Ctrl-C, which ends the command in good order.
  const screen = render(table(current()), { exitOnCtrlC: false, patchConsole: false });
  try {
    while (await again()) screen.rerender(table(current()));
  } finally {
    screen.unmount();
  }
};

const table = (links: readonly LinkStatus[]): ReactElement => {
  const rows = links.map(statusCells);
  const widths = STATUS_HEAD.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ');
  return createElement(
    Box,
    { flexDirection: 'column' },
    createElement(Text, { key: 'head', bold: true, wrap: 'truncate-end' }, line(STATUS_HEAD)),
    ...links.map((link, at) =>
      createElement(
        Text,
        { key: link.link, wrap: 'truncate-end', ...(isFinding(link) ? { color: 'red' } : {}) },
        line(rows[at] ?? []),
      ),
    ),
  );
};
