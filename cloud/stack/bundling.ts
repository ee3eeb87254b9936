import { fileURLToPath } from 'node:url';
import { type BundlingOptions, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';

/** How a function's sources become what is deployed: one file each by esbuild, with the SDK at the version that is tested here. */

export const projectRoot = fileURLToPath(new URL('../../', import.meta.url));
export const entryOf = (name: string) => fileURLToPath(new URL(`../functions/${name}.ts`, import.meta.url));

export const bundling = {
  format: OutputFormat.ESM,
  target: 'node24',
  // Bundled from ES modules what is not used falls away, which makes the start faster.
  mainFields: ['module', 'main'],
  minify: true,
  sourceMap: true,
  sourcesContent: false,
  bundleAwsSDK: true,
  // What remains CommonJS requires Node's own modules.
  banner: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
  environment: { npm_config_os: 'linux', npm_config_cpu: 'arm64', npm_config_libc: 'glibc' },
} as const satisfies BundlingOptions;
