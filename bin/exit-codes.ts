/** How a command ends. docs/errors.md is checked against this table. */
import type { ErrorCode, LayerfsError } from '../index.js';

export const exitStatus = {
  /** What was asked for is done. */
  done: 0,
  /** It could not be done; standard error says why. */
  failed: 1,
  /** The words of the command were wrong; nothing was begun. */
  usage: 2,
} as const;

/** Ended by a signal: 128 and its number, as a shell has it. */
export const signalStatus = { SIGHUP: 129, SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const;

export type StopSignal = keyof typeof signalStatus;

/** The code of what only a command line can get wrong: unknown options, missing arguments. */
export const usageCode = 'USAGE';

/** Errors that are about the words which were typed. Every other code is a failure. */
export const usageErrorCodes: readonly ErrorCode[] = ['DRIVER_UNKNOWN', 'REFERENCE_INVALID'];

/** Whether it is the library's own error. By name, so that asking does not load the library. */
export function isLayerfsError(error: unknown): error is LayerfsError {
  return error instanceof Error && error.name === 'LayerfsError';
}

export function exitStatusOf(error: unknown): number {
  return isLayerfsError(error) && usageErrorCodes.includes(error.code) ? exitStatus.usage : exitStatus.failed;
}
