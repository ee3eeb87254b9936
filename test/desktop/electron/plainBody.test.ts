import { expect, test } from 'vitest';
import { plainBody } from '../../../desktop/electron/plainBody.ts';

test('a name that is markup shows as it is', () => {
  expect(plainBody('Dog: <a href="x">Tom & Jerry</a>.jpg', 'linux')).toBe('Dog: &lt;a href="x"&gt;Tom &amp; Jerry&lt;/a&gt;.jpg');
  expect(plainBody('Tom & Jerry.jpg', 'darwin')).toBe('Tom & Jerry.jpg');
});
