/**
 * Shapes of tables that are not the same on both sides. All of them stand in one pair of databases, so that partitions,
 * columns and names are also applied beside each other in one batch.
 */

import { test } from 'vitest';
import { columns } from './shapes/columns.ts';
import { names } from './shapes/names.ts';
import { sideEffects } from './shapes/side-effects.ts';
import { partitions } from './shapes/partitions.ts';
import { expectLater, inOneGo, pairOfShapes, withRestarts } from './shapes/shape.ts';

const shapes = [...partitions, ...columns, ...names, ...sideEffects];

test('copied and streamed', async () => {
  await using pair = await pairOfShapes(shapes);
  await inOneGo(pair, shapes);
  await expectLater(pair, shapes);
});

test('with the run replaced in the middle of the copy, and of the stream', async () => {
  await using pair = await pairOfShapes(shapes);
  await withRestarts(pair, shapes);
});
