/** The `GNU.sparse.*` records of PAX headers: sparse formats 0.0, 0.1 and 1.0 (GNU tar manual, "PAX Format"). */
import type { Bytes } from '../bytes.js';
import { shown, type Fail } from './fault.js';
import { parseDecimal } from './number.js';
import { SparseMap } from './sparse-map.js';

export class SparseRecords {
  /** The file's name: formats 0.1 and 1.0 have a made-up one in `path`. */
  name: Bytes | null = null;
  realSize: number | null = null;
  #major: Bytes | null = null;
  #minor: Bytes | null = null;
  #declaredRegions: number | null = null;
  #map = new SparseMap();

  add(keyword: Bytes, value: Bytes, fail: Fail): void {
    switch (keyword as string) {
      case 'GNU.sparse.major':
        this.#major = value;
        break;
      case 'GNU.sparse.minor':
        this.#minor = value;
        break;
      case 'GNU.sparse.name':
        this.name = value === '' ? null : value;
        break;
      case 'GNU.sparse.size':
      case 'GNU.sparse.realsize':
        this.realSize = numberOf(value, fail);
        break;
      case 'GNU.sparse.numblocks':
        this.#declaredRegions = numberOf(value, fail);
        break;
      case 'GNU.sparse.offset':
        if (this.#map.length % 2 !== 0) fail('a sparse region has no length');
        this.#map.push(numberOf(value, fail), fail);
        break;
      case 'GNU.sparse.numbytes':
        if (this.#map.length % 2 !== 1) fail('a sparse region has no offset');
        this.#map.push(numberOf(value, fail), fail);
        break;
      case 'GNU.sparse.map':
        this.#map = new SparseMap();
        if (value === '') break;
        for (const number of value.split(',')) this.#map.push(numberOf(number as Bytes, fail), fail);
        break;
    }
  }

  /** Whether the map stands before the data (1.0) or is among these records (0.0, 0.1, which old GNU tars do not name). */
  isMapInData(fail: Fail): boolean {
    const version = this.#major === null && this.#minor === null ? null : `${this.#major}.${this.#minor}`;
    if (version === '1.0') return true;
    if (version === null || version === '0.0' || version === '0.1') return false;
    return fail(`its sparse format ${shown(version as Bytes)} is not known`);
  }

  /** The map of formats 0.0 and 0.1. */
  map(fail: Fail): SparseMap {
    if (this.#map.length % 2 !== 0) fail('a sparse region has no length');
    const regions = this.#map.length / 2;
    if (this.#declaredRegions !== null && this.#declaredRegions !== regions) {
      fail(`a sparse file has ${regions} regions, not the ${this.#declaredRegions} announced`);
    }
    return this.#map;
  }
}

function numberOf(digits: Bytes, fail: Fail): number {
  const value = parseDecimal(Buffer.from(digits, 'latin1'), 0, digits.length);
  return Number.isNaN(value) ? fail('a number of a sparse file is none') : value;
}
