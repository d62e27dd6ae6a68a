/** Carries a plan out: as a mount without a place yet, by whichever interface this kernel has. */
import { bytes, type Bytes, type HostPath } from '../../lib/bytes.js';
import { LayerfsError, messageOf } from '../../lib/errors.js';
import {
  AT_FDCWD,
  MNT_DETACH,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  MS_NODEV,
  MS_NOSUID,
  MS_RDONLY,
  OPEN_TREE_CLONE,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  SystemError,
  close,
  fsconfigCreate,
  fsconfigFd,
  fsconfigFlag,
  fsconfigString,
  fsmount,
  fsopen,
  mount,
  openTree,
  openat,
  procPath,
  umount2,
} from '../../lib/sys/index.js';
import type { OverlayPlan } from './plan.js';

/**
 * How lower layers reach the kernel: as descriptors (Linux 6.13), as one short string each (6.8), or all in one page
 * of options to mount(2). Only descriptors and strings have no limit but the kernel's 500 layers.
 */
export type Method = 'descriptors' | 'strings' | 'page';

let detected: Method | undefined;

/** What this kernel takes, found out by setting one parameter of a mount that is never made. */
export function detectMethod(): Method {
  detected ??= detect();
  return detected;
}

function detect(): Method {
  const context = fsopen(bytes('overlay'));
  try {
    const fd = openat(AT_FDCWD, bytes('/'), O_RDONLY | O_DIRECTORY);
    try {
      fsconfigFd(context, bytes('lowerdir+'), fd);
      return 'descriptors';
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    } finally {
      close(fd);
    }
    try {
      fsconfigString(context, bytes('lowerdir+'), bytes('/'));
      return 'strings';
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return 'page';
    }
  } finally {
    close(context);
  }
}

/**
 * The mount's descriptor.
 * @param at an empty directory, for the method `page`: there a mount must be somewhere before it can be taken away
 * @throws LayerfsError MOUNT_FAILED with the kernel's words
 */
export function mountOverlay(
  plan: OverlayPlan,
  label: string,
  at: HostPath | null,
  method = detectMethod(),
): number {
  try {
    if (method !== 'page') return mountContext(plan, label, method);
    if (at === null) throw new TypeError('this kernel needs a place to mount');
    return mountPage(plan, label, at);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new LayerfsError('MOUNT_FAILED', `mount overlay: ${messageOf(error)}`, {
      cause: error,
      detail: { layers: plan.lowers.length },
    });
  }
}

/** Opens directories one by one for `use`, and closes every one of them. */
class OpenDirectories implements Disposable {
  readonly #fds: number[] = [];

  open(path: HostPath): number {
    const fd = openat(AT_FDCWD, bytes(path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    this.#fds.push(fd);
    return fd;
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds) close(fd);
  }
}

function mountContext(plan: OverlayPlan, label: string, method: Exclude<Method, 'page'>): number {
  using directories = new OpenDirectories();
  const context = fsopen(bytes('overlay'));
  try {
    const set = (key: string, path: HostPath): void => {
      const fd = directories.open(path);
      if (method === 'descriptors') fsconfigFd(context, bytes(key), fd);
      else fsconfigString(context, bytes(key), procPath(fd));
    };
    fsconfigString(context, bytes('source'), bytes(label));
    for (const lower of plan.lowers) set('lowerdir+', lower);
    if (plan.upper !== null) set('upperdir', plan.upper);
    if (plan.work !== null) set('workdir', plan.work);
    for (const [name, value] of plan.options) {
      if (value === null) fsconfigFlag(context, bytes(name));
      else fsconfigString(context, bytes(name), bytes(value));
    }
    if (plan.readOnly) fsconfigFlag(context, bytes('ro'));
    fsconfigCreate(context);
    let attributes = plan.readOnly ? MOUNT_ATTR_RDONLY : 0;
    if (plan.flags.nodev === true) attributes |= MOUNT_ATTR_NODEV;
    if (plan.flags.nosuid === true) attributes |= MOUNT_ATTR_NOSUID;
    return fsmount(context, attributes);
  } finally {
    close(context);
  }
}

function mountPage(plan: OverlayPlan, label: string, at: HostPath): number {
  using directories = new OpenDirectories();
  // Short names for directories, whatever their paths are: a page holds some 200 of them.
  const name = (path: HostPath): string => procPath(directories.open(path));
  const options = [`lowerdir=${plan.lowers.map(name).join(':')}`];
  if (plan.upper !== null) options.push(`upperdir=${name(plan.upper)}`);
  if (plan.work !== null) options.push(`workdir=${name(plan.work)}`);
  for (const [key, value] of plan.options) options.push(value === null ? key : `${key}=${value}`);
  let flags = plan.readOnly ? MS_RDONLY : 0;
  if (plan.flags.nodev === true) flags |= MS_NODEV;
  if (plan.flags.nosuid === true) flags |= MS_NOSUID;
  const target: Bytes = bytes(at);
  mount(bytes(label), target, bytes('overlay'), flags, bytes(options.join(',')));
  try {
    return openTree(AT_FDCWD, target, OPEN_TREE_CLONE);
  } finally {
    umount2(target, MNT_DETACH);
  }
}
