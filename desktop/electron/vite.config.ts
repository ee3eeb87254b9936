import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

// A sandboxed preload must be one CommonJS file; everything else of the shell runs from its sources.
export default defineConfig({
  build: {
    outDir: fileURLToPath(new URL('../../dist', import.meta.url)),
    emptyOutDir: false,
    lib: { entry: fileURLToPath(new URL('./preload.ts', import.meta.url)), formats: ['cjs'], fileName: () => 'preload.cjs' },
    rolldownOptions: { external: ['electron'] },
  },
  logLevel: 'warn',
});
