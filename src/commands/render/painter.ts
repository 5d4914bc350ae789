/** Colours and tables for people; plain text where colours are off. */

import type { Painter } from '../frame/host.ts';

/** cli-table3 with nothing but columns: what people paste into a ticket stays readable. */
const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

const plain = (text: string): string => text;

export const createPainter = async (color: boolean): Promise<Painter> => {
  const [{ default: Table }, paint] = await Promise.all([import('cli-table3'), palette(color)]);
  return {
    ...paint,
    table(head, rows) {
      const table = new Table({
        head: head.map((cell) => paint.bold(cell)),
        chars: NO_LINES,
        style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
      });
      table.push(...rows.map((row) => [...row]));
      return table
        .toString()
        .split('\n')
        .map((line) => line.trimEnd())
        .join('\n');
    },
  };
};

const palette = async (color: boolean): Promise<Omit<Painter, 'table'>> => {
  if (!color) return { bold: plain, dim: plain, good: plain, bad: plain, warn: plain };
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level: 1 });
  return { bold: chalk.bold, dim: chalk.dim, good: chalk.green, bad: chalk.red, warn: chalk.yellow };
};
