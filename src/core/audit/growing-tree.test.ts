import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { GrowingTree } from './growing-tree.ts';
import { inclusionProof, leafHash, provesInclusion, treeRoot } from './merkle.ts';
import { bundlePath, nodesFromTiles, tilePath, tilesSince, type Tile } from './tiles.ts';

const LEAVES = 70_000;
const leaf = (number: number): Buffer => leafHash(Buffer.from(`entry ${number}`));

const growing = () => {
  const files = new Map<string, Buffer>();
  const put = (tile: Tile, bytes: Buffer): void => void files.set(tilePath(tile), bytes);
  // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous
  const read = async (tile: Tile): Promise<Buffer> => {
    const bytes = files.get(tilePath(tile));
    if (!bytes) throw new Error(`no ${tilePath(tile)}`);
    return bytes;
  };
  return { files, put, read };
};

test('the tiles of a tree of 70,000 leaves are those that the specification counts', async () => {
  const { files, put, read } = growing();
  const tree = new GrowingTree();
  for (let at = 0; at < LEAVES; at++) tree.append(leaf(at), put);
  for (const [tile, bytes] of tree.partialTiles()) put(tile, bytes);
  expect([...files.keys()].toSorted()).toEqual(tilesSince(0, LEAVES).map(tilePath).toSorted());
  const full = (level: number) =>
    [...files.keys()].filter((path) => path.startsWith(`tile/${level}/`) && !path.includes('.p/'));
  expect([full(0).length, full(1).length]).toEqual([273, 1]);
  expect([...files.keys()].filter((path) => path.includes('.p/')).toSorted()).toEqual([
    'tile/0/273.p/112',
    'tile/1/001.p/17',
    'tile/2/000.p/1',
  ]);
  const node = nodesFromTiles(LEAVES, read);
  expect(await treeRoot(LEAVES, node)).toEqual(tree.head().root);
  for (const index of [0, 255, 256, 65_535, 65_536, 69_999])
    expect(
      provesInclusion({ ...tree.head(), index }, leaf(index), await inclusionProof(index, LEAVES, node)),
    ).toBe(true);
});

test('a tree goes on from its tiles, at any size, as if it had never stopped', async () => {
  const { put, read } = growing();
  const whole = new GrowingTree();
  for (let size = 0; size < 1200; size++) {
    for (const [tile, bytes] of whole.partialTiles()) put(tile, bytes);
    if (size % 37 === 0 || size % 256 < 2) {
      const resumed = await GrowingTree.from(size, read);
      expect(resumed.head()).toEqual(whole.head());
      const again = await GrowingTree.from(size, read);
      const [one, two]: [string[], string[]] = [[], []];
      for (let more = 0; more < 300; more++) {
        resumed.append(leaf(size + more), (tile, bytes) => one.push(tilePath(tile) + bytes.toString('hex')));
        again.append(leaf(size + more), (tile, bytes) => two.push(tilePath(tile) + bytes.toString('hex')));
      }
      expect(resumed.head()).toEqual(again.head());
      expect(one).toEqual(two);
      expect(one.length).toBeGreaterThan(0);
    }
    whole.append(leaf(size), put);
  }
});

test('paths of tiles', () => {
  expect(tilePath({ level: 0, index: 1234067, width: 256 })).toBe('tile/0/x001/x234/067');
  expect(tilePath({ level: 1, index: 0, width: 17 })).toBe('tile/1/000.p/17');
  expect(bundlePath(1000, 256)).toBe('tile/entries/x001/000');
});

test('only tiles that grew are to be written', () => {
  expect(tilesSince(256, 256)).toEqual([]);
  expect(tilesSince(255, 257).map(tilePath)).toEqual(['tile/0/000', 'tile/0/001.p/1', 'tile/1/000.p/1']);
  expect(tilesSince(600, 601).map(tilePath)).toEqual(['tile/0/002.p/89']);
});
