/** The drivers of a store, made when they are needed, and the choice among them. */
import type { Driver, Probe } from '../driver.js';
import { LayerfsError } from '../errors.js';
import type { DriverSource } from './mounts.js';

/** What drivers/index.ts knows; lib must not. */
export interface DriverTable {
  readonly names: readonly string[];
  /** What `auto` tries, in this order. */
  readonly automatic: readonly string[];
  load(name: string): Promise<Driver>;
}

export class DriverSet implements DriverSource {
  readonly #table: DriverTable;
  readonly #chosen: string;
  readonly #loaded = new Map<string, Promise<Driver>>();
  #automatic: Driver | undefined;

  /** @throws LayerfsError DRIVER_UNKNOWN */
  constructor(table: DriverTable, chosen: string) {
    this.#table = table;
    this.#chosen = chosen;
    this.#check(chosen);
  }

  get names(): readonly string[] {
    return this.#table.names;
  }

  /** @throws LayerfsError DRIVER_UNKNOWN */
  get(name: string): Promise<Driver> {
    if (!this.#table.names.includes(name)) this.#check(name);
    let driver = this.#loaded.get(name);
    if (driver === undefined) {
      driver = this.#table.load(name);
      this.#loaded.set(name, driver);
    }
    return driver;
  }

  /**
   * The driver of that name, else the store's; `auto` is the first that can work here.
   * @throws LayerfsError DRIVER_UNKNOWN, DRIVER_UNAVAILABLE with each driver's reason
   */
  async choose(name: string = this.#chosen): Promise<Driver> {
    this.#check(name);
    if (name === 'auto') return this.#choose();
    const driver = await this.get(name);
    const probe = await driver.probe();
    if (!probe.available) throw unavailable(`driver ${name}: ${probe.reason}`);
    return driver;
  }

  /** The name that `auto` stands for here, or null. */
  async automatic(): Promise<string | null> {
    for (const name of this.#table.automatic) if ((await this.probe(name)).available) return name;
    return null;
  }

  async probe(name: string): Promise<Probe> {
    return (await this.get(name)).probe();
  }

  async all(): Promise<Driver[]> {
    return Promise.all(this.#table.names.map((name) => this.get(name)));
  }

  async #choose(): Promise<Driver> {
    if (this.#automatic !== undefined) return this.#automatic;
    const reasons = [];
    for (const name of this.#table.automatic) {
      const driver = await this.get(name);
      const probe = await driver.probe();
      if (probe.available) return (this.#automatic = driver);
      reasons.push(`${name}: ${probe.reason}`);
    }
    throw unavailable(`no driver can work here: ${reasons.join('; ')}`);
  }

  #check(name: string): void {
    if (name === 'auto' || this.#table.names.includes(name)) return;
    throw new LayerfsError(
      'DRIVER_UNKNOWN',
      `there is no driver ${JSON.stringify(name)}: there are auto, ${this.#table.names.join(', ')}`,
      { detail: { driver: name } },
    );
  }
}

function unavailable(message: string): LayerfsError {
  return new LayerfsError('DRIVER_UNAVAILABLE', message);
}
