import type { Command } from 'commander';
import type { StoreInfo } from '../../index.js';
import type { Context } from '../context.js';
import { fields, table } from '../output.js';

export function define(command: Command, context: Context): void {
  command.action(async () => {
    await using store = await context.open();
    const info = await store.info();
    await context.print(info, () => text(info));
  });
}

function text(info: StoreInfo): string {
  const store = fields([
    ['store', info.root],
    ['format', String(info.formatVersion)],
    ['layerfs', info.version],
    ['kernel', info.kernel],
    ['images', String(info.images)],
    ['layers', String(info.layers)],
    ['snapshots', String(info.snapshots)],
    ['auto', info.auto ?? 'no driver works here'],
  ]);
  const drivers = table(info.drivers, [
    { heading: 'DRIVER', value: (driver) => driver.name },
    { heading: 'WORKS', value: (driver) => (driver.available ? 'yes' : 'no') },
    { heading: 'WHY', value: (driver) => driver.reason ?? detail(driver.detail ?? {}) },
  ]);
  const features = table(Object.entries(info.features), [
    { heading: 'KERNEL FEATURE', value: ([name]) => name },
    { heading: 'VALUE', value: ([, value]) => yesOrNo(value) },
  ]);
  return `${store}\n${drivers}\n${features}`;
}

function detail(facts: object): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name}: ${yesOrNo(value)}`)
    .join(', ');
}

function yesOrNo(value: unknown): string {
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
}
