/** Every command in the order of --help. Its file is loaded when it is called, and no other. */
import type { Command } from 'commander';
import type { Context } from './context.js';

export interface CommandModule {
  /** Gives the command its arguments, options and action. */
  define(command: Command, context: Context): void;
}

export interface CommandRow {
  readonly name: string;
  readonly alias?: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

export const commandTable: readonly CommandRow[] = [
  { name: 'import', summary: 'bring an image into the store', load: () => import('./commands/import.js') },
  { name: 'export', summary: 'write an image out of the store', load: () => import('./commands/export.js') },
  { name: 'images', summary: 'list the images', load: () => import('./commands/images.js') },
  { name: 'tag', summary: 'give an image another name', load: () => import('./commands/tag.js') },
  {
    name: 'rmi',
    summary: 'remove images, and what nothing else needs',
    load: () => import('./commands/rmi.js'),
  },
  {
    name: 'mount',
    summary: 'show an image at a path, writable or read-only',
    load: () => import('./commands/mount.js'),
  },
  {
    name: 'umount',
    alias: 'unmount',
    summary: 'unmount; a snapshot stays until rm',
    load: () => import('./commands/umount.js'),
  },
  { name: 'ps', summary: 'list what is mounted', load: () => import('./commands/ps.js') },
  { name: 'snapshots', summary: 'list what was written', load: () => import('./commands/snapshots.js') },
  { name: 'rm', summary: 'remove snapshots', load: () => import('./commands/rm.js') },
  { name: 'history', summary: 'how an image was made', load: () => import('./commands/history.js') },
  {
    name: 'inspect',
    summary: 'manifest, config and layers of an image',
    load: () => import('./commands/inspect.js'),
  },
  {
    name: 'ls',
    summary: 'list files of an image without mounting it',
    load: () => import('./commands/ls.js'),
  },
  { name: 'du', summary: 'where the space went', load: () => import('./commands/du.js') },
  { name: 'info', summary: 'the store, its drivers, the kernel', load: () => import('./commands/info.js') },
  {
    name: 'demo',
    summary: 'the story on a sample image, with no network',
    load: () => import('./commands/demo.js'),
  },
];

const skopeo =
  'fetch and send images with "skopeo copy docker://NAME oci:DIR:TAG", then import or export oci:DIR:TAG';
const overlay = 'what a snapshot wrote can be read at its mount point';

/** Commands of a later version, with what to do until then. Not in --help; see commands/later.ts. */
export const laterCommands: Readonly<Record<string, string>> = {
  pull: skopeo,
  push: skopeo,
  tags: '"skopeo list-tags docker://NAME" asks a registry',
  diff: overlay,
  commit: overlay,
  rebase: 'import the image that another tool has made',
  squash: 'import the image that another tool has made',
  check: '"layerfs import" reads and verifies everything it stores',
  gc: '"layerfs rmi" and "layerfs rm" free what they remove at once',
  bundle: '"layerfs mount NAME DIR/rootfs" gives a runtime its root, "layerfs inspect NAME" the config',
  snapshotter: 'containerd cannot use the store yet',
  unshare: '"unshare --map-root-user --map-auto --mount" of util-linux makes a user namespace',
};
