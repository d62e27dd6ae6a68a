/**
 * npm run bench -- --image DIR:TAG [--deep DIR:TAG] [--place DIR]… [--runs N] [--json FILE]
 *
 * Compares the whole import of an image (an OCI layout) with umoci and skopeo, and times mounts. Needs root.
 */
import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { version } from '../index.js';
import { benchmarkImport, importTable } from './import.js';
import { benchmarkMount, mountTable } from './mount.js';

const { values } = parseArgs({
  options: {
    image: { type: 'string' },
    deep: { type: 'string' },
    place: { type: 'string', multiple: true, default: ['/dev/shm', '/var/tmp'] },
    runs: { type: 'string', default: '5' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help || values.image === undefined) {
  console.log('npm run bench -- --image DIR:TAG [--deep DIR:TAG] [--place DIR]… [--runs N] [--json FILE]');
  process.exit(values.help ? 0 : 2);
}
const runs = Number(values.runs);
const report: Record<string, unknown> = {
  layerfs: version,
  node: process.version,
  kernel: release(),
  processors: cpus().length,
  image: values.image,
  runs,
};
for (const place of values.place) {
  const imports = await benchmarkImport(values.image, place, runs);
  console.log(importTable(place, imports));
  report[`import ${place}`] = imports;
  if (values.deep === undefined) continue;
  const mounts = await benchmarkMount(values.deep, values.image, place, 3 * runs);
  console.log(mountTable(place, mounts));
  report[`mount ${place}`] = mounts;
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
