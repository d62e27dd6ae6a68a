/**
 * The conformance suite: everything that lib/driver.ts promises, asked of a driver through a store that uses it. A driver's
 * test is one call. What drivers may do differently follows `supports`, both ways.
 */
import t from 'tap';
import { needsRoot } from '../support/privilege.js';
import type { OpenStore } from './subject.js';
import { Workspace } from './workspace.js';
import { errors } from './errors.js';
import { exports } from './exports.js';
import { hardlinks } from './hardlinks.js';
import { interruptions } from './interruptions.js';
import { issues } from './issues.js';
import { layers } from './layers.js';
import { metadata } from './metadata.js';
import { names } from './names.js';
import { randomImages } from './random.js';
import { snapshots } from './snapshots.js';
import { specs } from './specs.js';
import { types } from './types.js';
import { uses } from './uses.js';
import { views } from './views.js';
import { whiteouts } from './whiteouts.js';
import { writing } from './writing.js';

const topics = {
  whiteouts,
  types,
  hardlinks,
  metadata,
  names,
  layers,
  views,
  snapshots,
  writing,
  uses,
  interruptions,
  errors,
  specs,
  exports,
  issues,
  'random images': randomImages,
} as const;

export function conformance(driver: string, open: OpenStore): void {
  t.test(`driver ${driver}`, { skip: needsRoot }, async (t) => {
    await using workspace = await Workspace.create({ open });
    const { drivers } = await workspace.store.info();
    const info = drivers.find(({ name }) => name === driver);
    if (info === undefined) throw new Error(`there is no driver ${driver}`);
    if (!info.available) {
      t.pass('the driver works here', { skip: info.reason ?? 'it does not say why not' });
      return;
    }
    const subject = { driver, supports: info.supports, open };
    for (const [title, topic] of Object.entries(topics)) await t.test(title, (t) => topic(t, subject));
  });
}
