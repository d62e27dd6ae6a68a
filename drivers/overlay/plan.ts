/** What to mount, as data: pure, and tested without a kernel. */
import { join } from 'node:path';
import type { HostPath } from '../../lib/bytes.js';
import type { LayerStack, MountFlags, SnapshotDirectory } from '../../lib/driver.js';
import { LayerfsError } from '../../lib/errors.js';
import type { MountSpec } from '../../lib/mount/spec.js';

/** OVL_MAX_STACK of the kernel. */
export const maximumLowers = 500;

export interface OverlayPlan {
  /** The topmost first, as overlayfs has them. */
  readonly lowers: readonly HostPath[];
  readonly upper: HostPath | null;
  readonly work: HostPath | null;
  readonly readOnly: boolean;
  /** Parameters with a value, and flags with null. */
  readonly options: readonly (readonly [string, string | null])[];
  readonly flags: MountFlags;
}

/** Directories that the driver keeps for a stack beside its layers. */
export interface StackDirectories {
  /** Empty, with the attributes of the stack's root. */
  readonly root: HostPath;
  /** Empty: overlayfs wants two lowers where there is no upper. */
  readonly empty: HostPath;
  /** A work directory for views that must borrow `root` as their upper. */
  readonly work: HostPath;
}

export function upperOf(snapshot: SnapshotDirectory): HostPath {
  return join(snapshot.directory, 'upper');
}

export function workOf(snapshot: SnapshotDirectory): HostPath {
  return join(snapshot.directory, 'work');
}

/** Says during which boot the snapshot was last mounted volatile. */
export function volatileBootOf(snapshot: SnapshotDirectory): HostPath {
  return join(snapshot.directory, 'volatile');
}

/** True where the topmost layer's own root directory would show something else than the stack's. */
export function needsRoot(stack: LayerStack): boolean {
  return stack.rootImplied || stack.layers.length < 2;
}

// Layers come from untrusted images, so nothing in them may redirect a lookup or stand for other data.
// index=off: hardlinks break at copy-up as on every container engine, and an upper may be moved with its store.
const common = [
  ['metacopy', 'off'],
  ['index', 'off'],
  ['xino', 'auto'],
] as const;

/** @throws LayerfsError UNSUPPORTED for more layers than overlayfs takes */
export function planOverlay(
  stack: LayerStack,
  snapshot: SnapshotDirectory | null,
  directories: StackDirectories,
  flags: MountFlags,
): OverlayPlan {
  // overlayfs takes no directory twice. What a layer does is all done, and last, by its topmost occurrence.
  const layers = [...new Set(stack.layers.map(({ tree }) => tree).reverse())];
  if (layers.length > maximumLowers) {
    throw new LayerfsError(
      'UNSUPPORTED',
      `the image has ${layers.length} layers, overlayfs takes ${maximumLowers}: use --driver vfs`,
      { detail: { layers: layers.length, maximum: maximumLowers } },
    );
  }
  if (snapshot !== null) {
    const volatile = flags.volatile === true ? ([['volatile', null]] as const) : [];
    return {
      lowers: layers.length > 0 ? layers : [directories.empty],
      upper: upperOf(snapshot),
      work: workOf(snapshot),
      readOnly: false,
      options: [['redirect_dir', 'on'], ...common, ...volatile],
      flags,
    };
  }
  const options = [['redirect_dir', 'nofollow'], ...common] as const;
  if (needsRoot(stack) && layers.length === maximumLowers) {
    // No room for one more lower: the directory serves as an upper that a read-only mount never writes to.
    return {
      lowers: layers,
      upper: directories.root,
      work: directories.work,
      readOnly: true,
      options,
      flags,
    };
  }
  const lowers = needsRoot(stack) ? [directories.root, ...layers] : layers;
  if (lowers.length < 2) lowers.push(directories.empty);
  return { lowers, upper: null, work: null, readOnly: true, options, flags };
}

/** The plan in containerd's form. Colons, commas and backslashes in paths are escaped as overlayfs reads them. */
export function specOf(plan: OverlayPlan): MountSpec {
  const escape = (path: HostPath): string => path.replace(/[\\:,]/g, '\\$&');
  const options = [`lowerdir=${plan.lowers.map(escape).join(':')}`];
  if (plan.upper !== null) options.push(`upperdir=${escape(plan.upper)}`);
  if (plan.work !== null) options.push(`workdir=${escape(plan.work)}`);
  for (const [name, value] of plan.options) options.push(value === null ? name : `${name}=${value}`);
  if (plan.readOnly) options.push('ro');
  if (plan.flags.nodev === true) options.push('nodev');
  if (plan.flags.nosuid === true) options.push('nosuid');
  return { type: 'overlay', source: 'overlay', options };
}
