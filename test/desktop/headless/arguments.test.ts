import { describe, expect, test } from 'vitest';
import { parseArguments } from '../../../desktop/headless/arguments.ts';
import { InvalidInput } from '../../../shared/errors.ts';

const commandOf = (line: string) => parseArguments(line.split(' ').filter(Boolean)).command;

describe('parseArguments', () => {
  test('without arguments opens the app', () => {
    expect(parseArguments([])).toEqual({ command: { kind: 'open', folder: null, headless: false, port: 0 }, data: undefined, json: false });
  });

  test.each([
    ['--folder photos --headless --port 8080', { kind: 'open', folder: 'photos', headless: true, port: 8080 }],
    ['watch a b --until-idle', { kind: 'watch', folders: ['a', 'b'], ignored: null, untilIdle: true }],
    ['watch a --ignore raw --ignore *.tif', { kind: 'watch', folders: ['a'], ignored: ['raw', '*.tif'], untilIdle: false }],
    ['watch a --ignore=', { kind: 'watch', folders: ['a'], ignored: [], untilIdle: false }],
    ['search dog cat --limit 5', { kind: 'search', query: 'dog cat', limit: 5 }],
    ['search -- -label:cat', { kind: 'search', query: '-label:cat', limit: 100 }],
    ['status', { kind: 'status' }],
    ['alerts', { kind: 'alerts', limit: 100 }],
    ['rules', { kind: 'rules' }],
    [
      'rules add Dog --min-confidence 90 --by desktop,email',
      { kind: 'addRule', name: 'Dog', condition: { kind: 'label', label: 'Dog', minConfidence: 90 }, notify: { desktop: true, sns: true } },
    ],
    [
      'rules add --text INVOICE --name Invoices',
      { kind: 'addRule', name: 'Invoices', condition: { kind: 'text', text: 'INVOICE' }, notify: { desktop: true, sns: false } },
    ],
    ['rules remove r1', { kind: 'removeRule', id: 'r1' }],
    ['costs', { kind: 'costs', approve: false }],
    ['costs --approve', { kind: 'costs', approve: true }],
    ['look-again', { kind: 'lookAgain', approve: false }],
    ['cloud --port 4599', { kind: 'cloud', port: 4599 }],
    ['--help', { kind: 'help' }],
    ['watch -h', { kind: 'help' }],
  ])('%s', (line, expected) => {
    expect(commandOf(line)).toEqual(expected);
  });

  test('takes --data and --json with every command, before or after it', () => {
    expect(parseArguments(['--data', '/d', 'status', '--json'])).toMatchObject({ command: { kind: 'status' }, data: '/d', json: true });
  });

  test.each([
    ['frobnicate', 'There is no command "frobnicate"'],
    ['--frobnicate', "Unknown option '--frobnicate'."],
    ['--folder', 'argument missing.'],
    ['watch', 'Name the folders to watch'],
    ['watch a --ignore ../b', '“../b” must say a place in the folder'],
    ['status --ignore a', '--ignore does not belong'],
    ['status now', '"now" is one word too many'],
    ['status --port 1', '--port does not belong to this command'],
    ['cloud --port 70000', '--port takes a whole number from 0 to 65535, not "70000"'],
    ['cloud --port 80x', '--port takes a whole number'],
    ['search dog -label:cat', 'pixwatch search -- dog -label:cat'],
    ['search dog --limit 0', '--limit takes a whole number from 1 to 500'],
    ['rules paint Dog', 'After "rules" comes nothing, "add LABEL", "add --text TEXT" or "remove ID"'],
    ['rules add', 'After "rules" comes'],
    ['rules add Dog --text INVOICE', '--text does not belong'],
    ['rules add --text INVOICE --min-confidence 90', '--min-confidence does not belong'],
    ['rules add Dog --min-confidence 101', '--min-confidence takes a whole number from 0 to 100'],
    ['rules add Dog --by pigeon', '--by takes desktop, email or both'],
  ])('refuses "%s" with one sentence', (line, sentence) => {
    expect(() => commandOf(line)).toThrow(InvalidInput);
    expect(() => commandOf(line)).toThrow(sentence);
    expect(() => commandOf(line)).toThrow(/^[^\n]* See pixwatch --help\.$/);
  });
});
