/**
 * Calls into the C library of the running process, glibc or musl, through koffi: the one file that loads it.
 * Loading takes about 10 ms, so it waits for the first call.
 */
import { createRequire } from 'node:module';
import type * as koffiModule from 'koffi';

type Koffi = typeof koffiModule;

/** C types of arguments, and what JavaScript passes for them. */
interface ArgumentTypes {
  int: number;
  uint: number;
  int64: number | bigint;
  uint64: number | bigint;
  'void *': Buffer | null;
}

type Parameters = readonly (keyof ArgumentTypes)[];
type Arguments<P extends Parameters> = { [K in keyof P]: ArgumentTypes[P[K]] };

/** A call in the kernel's own convention: what it returns, or a negative errno. It never throws. */
export type NativeCall<P extends Parameters> = (...values: Arguments<P>) => number;

/** What a function returns; `int64` stands for `long`, `ssize_t` and `off_t`. */
export type ResultType = 'int' | 'int64';

const EINTR = 4;

let loaded: { koffi: Koffi; library: ReturnType<Koffi['load']> } | undefined;

function load(): NonNullable<typeof loaded> {
  if (loaded === undefined) {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    loaded = { koffi, library: koffi.load(null) };
  }
  return loaded;
}

function bindFunction<P extends Parameters>(
  repeatInterrupted: boolean,
  result: ResultType,
  name: string,
  parameters: P,
): NativeCall<P> {
  let call: ((...values: Arguments<P>) => number) | undefined;
  let errno: () => number = () => 0;
  return (...values) => {
    if (call === undefined) {
      const { koffi, library } = load();
      call = library.func(name, result, [...parameters]) as (...values: Arguments<P>) => number;
      errno = koffi.errno;
    }
    let value = call(...values);
    while (value < 0) {
      const code = errno();
      if (code !== EINTR || !repeatInterrupted) return -code;
      value = call(...values);
    }
    return value;
  };
}

/** A function of the C library, looked up at its first call; an interrupted call is repeated. */
export function bind<const P extends Parameters>(
  result: ResultType,
  name: string,
  ...parameters: P
): NativeCall<P> {
  return bindFunction(true, result, name, parameters);
}

/** The same for functions that must not be repeated: -EINTR is returned. */
export function bindOnce<const P extends Parameters>(
  result: ResultType,
  name: string,
  ...parameters: P
): NativeCall<P> {
  return bindFunction(false, result, name, parameters);
}

/** A system call that the C library may lack: the first argument of each call is its number (SYS_*). */
export function bindSyscall<const P extends Parameters>(...parameters: P): NativeCall<['int64', ...P]> {
  return bindFunction(true, 'int64', 'syscall', ['int64', ...parameters]);
}

/** The memory address of a buffer, for a pointer inside a struct. The buffer must outlive the call. */
export function addressOf(buffer: Buffer): bigint {
  return load().koffi.address(buffer);
}

/** The C library's name and text for an errno, for those Node has no name for. */
export function describeErrno(errno: number): { name: string; message: string } {
  const { koffi, library } = load();
  const name = Object.entries(koffi.os.errno).find(([, value]) => value === errno)?.[0];
  const strerror = library.func('strerror', 'str', ['int']) as (errno: number) => string;
  return { name: name ?? `E${errno}`, message: strerror(errno).toLowerCase() };
}
