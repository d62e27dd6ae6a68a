/** How the tar decoders refuse: they say what is wrong, the reader adds where. */
import { display, type Bytes } from '../bytes.js';
import type { TarWarningCode } from './member.js';

export type TarErrorCode = 'TAR_INVALID' | 'LIMIT_EXCEEDED' | 'ENTRY_INVALID';

/** Throws a LayerfsError that names the place in the archive; TAR_INVALID unless another code is given. */
export type Fail = (problem: string, code?: TarErrorCode) => never;

/** Reports what is not carried over; the archive is read on. */
export type Warn = (code: TarWarningCode, message: string) => void;

/** A name for a message. Names of hostile archives are up to 1 MiB long. */
export function shown(name: Bytes): string {
  return name.length <= 300 ? display(name) : `${display(name.slice(0, 300) as Bytes)}…`;
}
