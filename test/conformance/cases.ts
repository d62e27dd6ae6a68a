/** Named cases: layers as values, and what they show when they are stacked. */
import type { Test } from 'tap';
import type { Layer } from '../support/tarball.js';
import { treeOutline, treeText } from '../support/tree.js';
import type { Subject } from './subject.js';
import { Workspace } from './workspace.js';

export interface Case {
  /** With the place where it came up, where it did. */
  readonly name: string;
  /** Bottom first. */
  readonly layers: readonly Layer[];
  /** As treeOutline writes it. */
  readonly shows: readonly string[];
  /** The layers hold bytes that only a tar reader makes sense of: there is no comparing with the oracle. */
  readonly raw?: boolean;
}

/** All images are imported at once; each case then has a subtest for its view and a fresh snapshot. */
export async function testCases(t: Test, subject: Subject, cases: readonly Case[]): Promise<void> {
  await using workspace = await Workspace.create(subject);
  await workspace.import(cases.map(({ layers }, i) => ({ tag: `case-${i}`, layers })));
  for (const [i, { name, layers, shows, raw = false }] of cases.entries()) {
    await t.test(name, async (t) => {
      const image = `test:case-${i}`;
      const view = await workspace.view(image);
      t.same(treeOutline(view), shows, 'the view');
      t.equal(treeText(await workspace.snapshot(image)), treeText(view), 'a new snapshot');
      if (!raw)
        t.equal(treeText(view), treeText(workspace.expected(layers)), 'compared with a plain directory');
    });
  }
}
