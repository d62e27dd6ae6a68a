/** The config of an image that is made of one root file system. */
import type { Digest } from '../digest.js';
import { LayerfsError } from '../errors.js';
import { defaultPlatform } from '../image/platform.js';

/**
 * Canonical: the same layer and date give the same bytes. The platform is that of this process.
 * @param created seconds since the epoch
 */
export function encodeRootfsConfig(diffId: Digest, created: Date): Buffer {
  const { os, architecture, variant } = defaultPlatform();
  const date = created.toISOString();
  return Buffer.from(
    JSON.stringify({
      created: date,
      architecture,
      variant,
      os,
      config: {},
      rootfs: { type: 'layers', diff_ids: [diffId] },
      history: [{ created: date, created_by: 'layerfs import rootfs' }],
    }),
  );
}

/**
 * When an image that is made now is to say that it was created: now, or at SOURCE_DATE_EPOCH
 * (reproducible-builds.org/specs/source-date-epoch) where that is set.
 *
 * @throws LayerfsError UNSUPPORTED where it is not a number of seconds
 */
export function creationDate(environment: NodeJS.ProcessEnv = process.env): Date {
  const text = environment['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return new Date();
  const date = new Date(Number(text) * 1000);
  if (/^\d+$/.test(text) && !Number.isNaN(date.getTime())) return date;
  throw new LayerfsError(
    'UNSUPPORTED',
    `SOURCE_DATE_EPOCH is not a number of seconds: ${JSON.stringify(text)}`,
  );
}
