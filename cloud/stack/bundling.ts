import { fileURLToPath } from 'node:url';
import { type BundlingOptions, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';

/** How a function's sources become what is deployed: one file each by esbuild, with the SDK at the version that is tested here. */

export const projectRoot = fileURLToPath(new URL('../../', import.meta.url));
export const entryOf = (name: string) => fileURLToPath(new URL(`../functions/${name}.ts`, import.meta.url));

/** What cannot be bundled into one file, and lies beside the bundle. */
export type NativeModule = 'sharp' | '@ffmpeg/core';

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

/** How a function is bundled that uses such modules. */
export function bundlingWith(native: readonly NativeModule[] = []): BundlingOptions {
  return {
    ...bundling,
    // Installed, as there is one for each system: that of Lambda, whatever this computer is.
    ...(native.includes('sharp') && { nodeModules: ['sharp'] }),
    ...(native.includes('@ffmpeg/core') && { commandHooks: { beforeBundling: none, beforeInstall: none, afterBundling: copyDecoder } }),
  };
}

const none = () => [];

/**
 * Commands, for the shell of any system, that copy FFmpeg's WebAssembly, which is the same for every system. The package holds it twice, each 32 MB:
 * for `import`, and for `require`, which cloud/steps/video uses.
 */
function copyDecoder(from: string, to: string): string[] {
  const files = ['package.json', 'dist/umd'].map((file) => `node_modules/@ffmpeg/core/${file}`);
  const quoted = (dir: string, file: string) => `'${dir.replaceAll('\\', '/')}/${file}'`;
  return files.map((file) => `node -e "fs.cpSync(${quoted(from, file)}, ${quoted(to, file)}, { recursive: true })"`);
}
