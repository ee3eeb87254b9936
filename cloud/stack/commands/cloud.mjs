// The cloud:… commands of package.json. Written so that an older Node can read it and say that it is too old.
const neededMajor = 24;

if (Number.parseInt(process.versions.node, 10) >= neededMajor) {
  const { main } = await import('./main.ts');
  process.exitCode = await main(process.argv.slice(2));
} else {
  console.error(
    `missing  Node ${neededMajor} or newer; this is ${process.versions.node}. Get it from https://nodejs.org; on Linux (x64) "npm ci" brings its own.`,
  );
  process.exitCode = 1;
}
