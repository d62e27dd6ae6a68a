/** How the tar decoders refuse: they say what is wrong, the reader adds where. */
import type { TarWarningCode } from './member.js';

export type TarErrorCode = 'TAR_INVALID' | 'LIMIT_EXCEEDED' | 'ENTRY_INVALID';

/** Throws a LayerfsError that names the place in the archive; TAR_INVALID unless another code is given. */
export type Fail = (problem: string, code?: TarErrorCode) => never;

/** Reports what is not carried over; the archive is read on. */
export type Warn = (code: TarWarningCode, message: string) => void;
