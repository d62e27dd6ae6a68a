/** All drivers on one screen, each loaded when it is first asked for. */
import type { Driver, DriverContext } from '../lib/driver.js';

type Load = (context: DriverContext) => Promise<Driver>;

export const drivers = {
  overlay: async (context) => new (await import('./overlay/overlay.js')).OverlayDriver(context),
  vfs: async (context) => new (await import('./vfs/vfs.js')).VfsDriver(context),
} as const satisfies Record<string, Load>;

export type DriverName = keyof typeof drivers;

/** What `auto` tries, in this order: the first that can work here is taken. */
export const automatic: readonly DriverName[] = ['overlay', 'vfs'];

export function isDriverName(name: string): name is DriverName {
  return Object.hasOwn(drivers, name);
}
