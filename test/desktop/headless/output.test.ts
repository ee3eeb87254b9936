import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { createOutput, printable } from '../../../desktop/headless/output.ts';

function capture(isTTY = false) {
  const written: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY, columns: 20 }), text: () => written.join('') };
}

test('a file name cannot command the terminal', () => {
  const out = capture();
  const err = capture();
  const output = createOutput(out.stream, err.stream);
  output.say('evil\u001b[2J\u0007\nname.jpg');
  output.note('gpj.\u202eexe');
  expect(out.text()).toBe('evil\ufffd[2J\ufffd\ufffdname.jpg\n');
  expect(err.text()).toBe('gpj.\ufffdexe\n');
});

test('ordinary names of any language stay as they are', () => {
  const name = 'Größe – 写真 👩‍🚀.jpg';
  expect(printable(name)).toBe(name);
});

test('answers and the rest go different ways', () => {
  const out = capture();
  const err = capture();
  const output = createOutput(out.stream, err.stream);
  output.json({ url: 'x' });
  output.note('beside');
  expect(out.text()).toBe('{"url":"x"}\n');
  expect(err.text()).toBe('beside\n');
});

test('progress rewrites one line on a terminal and is cut to its width', () => {
  const err = capture(true);
  const output = createOutput(capture().stream, err.stream);
  output.progress('1 of 3 files done, and more than fits');
  output.progress('1 of 3 files done, and more than fits');
  output.note('a note');
  expect(err.text()).toBe('\r\u001b[K1 of 3 files done, \r\u001b[Ka note\n');
});

test('elsewhere progress is a line now and then', () => {
  const err = capture();
  const output = createOutput(capture().stream, err.stream);
  for (let i = 0; i < 100; i++) output.progress(`${i} done`);
  expect(err.text()).toBe('0 done\n');
});
