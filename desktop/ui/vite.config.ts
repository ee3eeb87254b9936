import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

// JSX needs no plugin: Vite's own transform follows "jsx" in tsconfig.json.
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Relative, so that the page works from http://127.0.0.1 and from pixwatch://app alike.
  base: './',
  build: {
    outDir: fileURLToPath(new URL('../../dist/ui', import.meta.url)),
    emptyOutDir: true,
    target: 'chrome130',
    // The content security policy allows no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  logLevel: 'warn',
});
