/** The extended headers that wait for their member: PAX `x` and `g`, GNU `L` (long name) and `K` (long link). */
import { bytesOf, type Bytes } from '../bytes.js';
import { limits } from '../limits.js';
import { shown, type Fail, type Warn } from './fault.js';
import { typeflag } from './header.js';
import { parsePax, parsePaxGlobal, type PaxHeader } from './pax.js';

export function isExtension(flag: number): boolean {
  return (
    flag === typeflag.pax ||
    flag === typeflag.paxGlobal ||
    flag === typeflag.gnuLongName ||
    flag === typeflag.gnuLongLink
  );
}

/**
 * Of two headers of one kind before a member the later counts alone, as in Go's archive/tar and GNU tar. Global
 * headers are checked, and not applied, as in containerd and Docker.
 */
export class Extensions {
  pax: PaxHeader | null = null;
  longName: Bytes | null = null;
  longLink: Bytes | null = null;
  /** Headers since the last member. */
  count = 0;

  /** @throws LIMIT_EXCEEDED or TAR_INVALID through `fail`, before anything of that size is held in memory */
  announce(size: number, fail: Fail): void {
    if (size < 0) fail(`an extended header of ${size} bytes`);
    if (size > limits.paxHeaderSize) {
      fail(`an extended header of ${size} bytes, more than ${limits.paxHeaderSize}`, 'LIMIT_EXCEEDED');
    }
    this.count++;
    if (this.count > limits.consecutiveHeaders) {
      fail(`more than ${limits.consecutiveHeaders} extended headers in a row`, 'LIMIT_EXCEEDED');
    }
  }

  add(flag: number, payload: Buffer, fail: Fail, warn: Warn): void {
    switch (flag) {
      case typeflag.pax:
        if (this.pax !== null) warn('pax-replaced', 'of two PAX headers in a row the first is not applied');
        this.pax = parsePax(payload, fail);
        break;
      case typeflag.paxGlobal: {
        const keywords = parsePaxGlobal(payload, fail);
        if (keywords !== '') warn('global-header', `a global PAX header is not applied: ${shown(keywords)}`);
        break;
      }
      case typeflag.gnuLongName:
        this.longName = untilNul(payload);
        break;
      case typeflag.gnuLongLink:
        this.longLink = untilNul(payload);
        break;
    }
  }
}

/** An empty name, as in Go's archive/tar, leaves the header's own in force. */
function untilNul(payload: Buffer): Bytes | null {
  const nul = payload.indexOf(0);
  return nul === 0 || payload.length === 0 ? null : bytesOf(payload, 0, nul < 0 ? payload.length : nul);
}
