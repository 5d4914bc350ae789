import { expect, test } from 'vitest';
import { keyFilter } from './filter.ts';

/** rclone.org/filtering, "Pattern syntax": its own examples among others. */
test.each([
  ['file.jpg', ['file.jpg', 'directory/file.jpg'], ['afile.jpg', 'file.jpg/x', 'fileXjpg']],
  ['/file.jpg', ['file.jpg'], ['directory/file.jpg', 'afile.jpg']],
  ['*.jpg', ['file.jpg', 'directory/file.jpg'], ['file.jpg/anotherfile.png']],
  ['/dir/**', ['dir/a', 'dir/a/b'], ['x/dir/a', 'dir']],
  ['dir/*.txt', ['dir/a.txt', 'x/dir/a.txt'], ['dir/b/a.txt']],
  ['{one,two}.log', ['one.log', 'x/two.log'], ['three.log', 'onetwo.log']],
  ['[ab]?[!c]', ['axd', 'b😀d'], ['axc', 'cxd']],
  ['a\\*b', ['a*b'], ['axb']],
  ['a,b', ['a,b'], ['a', 'b']],
  ['x+(y)', ['x+(y)'], ['xx(y)']],
])('%s', (glob, matched, unmatched) => {
  const filter = keyFilter({ include: [glob], exclude: [] });
  expect(matched.filter((key) => !filter(key))).toEqual([]);
  expect(unmatched.filter((key) => filter(key))).toEqual([]);
});

test('exclusion wins, and without an inclusion everything else is in', () => {
  const filter = keyFilter({ include: [], exclude: ['*.tmp'] });
  expect(['a', 'b.tmp', 'c/d.tmp'].filter(filter)).toEqual(['a']);
  expect(['a.tmp', 'a.x'].filter(keyFilter({ include: ['a.*'], exclude: ['*.tmp'] }))).toEqual(['a.x']);
});

test.each(['', '/', '{a', 'a}', '[a'])('%j is refused', (glob) => {
  const attempt = () => keyFilter({ include: [glob], exclude: [] });
  if (glob === '[a') expect(attempt()('[a')).toBe(true);
  else expect(attempt).toThrow(expect.objectContaining({ code: 'XC-1071' }) as Error);
});
