/** Namespaces of a thread, waiting for fds, and ioctl(2). */
import { checked, errno } from './errno.js';
import { bind, bindOnce } from './libc.js';

const native = {
  unshare: bind('int', 'unshare', 'int'),
  setns: bind('int', 'setns', 'int', 'int'),
  poll: bindOnce('int', 'poll', 'void *', 'uint64', 'int'),
  ioctlBuffer: bind('int', 'ioctl', 'int', 'uint64', 'void *'),
  ioctlNumber: bind('int', 'ioctl', 'int', 'uint64', 'int64'),
};

/**
 * Moves the calling thread alone into new namespaces (CLONE_*). Node's thread pool, and so all asynchronous file
 * system calls, stay where they were; a worker thread with synchronous calls is the place for it.
 * @throws SystemError EINVAL for CLONE_NEWUSER: a process with several threads cannot have it
 */
export function unshare(flags: number): void {
  checked(native.unshare(flags), 'unshare');
}

/**
 * Moves the calling thread alone into the namespace that `fd` stands for; see `unshare` for what stays behind.
 * A mount namespace asks for `unshare(CLONE_FS)` first, and leaves the thread at that namespace's root directory.
 */
export function setns(fd: number, flags: number): void {
  checked(native.setns(fd, flags), 'setns');
}

export interface PollRequest {
  readonly fd: number;
  /** POLLIN, POLLOUT; errors and hang-ups are always reported. */
  readonly events: number;
}

/** The events of each fd, in order, once one has any or after `timeoutMs` (-1: never); all 0 after the timeout. */
export function poll(requests: readonly PollRequest[], timeoutMs: number): number[] {
  const fds = Buffer.alloc(8 * requests.length);
  requests.forEach(({ fd, events }, i) => {
    fds.writeInt32LE(fd, 8 * i);
    fds.writeInt16LE(events, 8 * i + 4);
  });
  const deadline = performance.now() + timeoutMs;
  let result = native.poll(fds, requests.length, timeoutMs);
  while (result === -errno.EINTR) {
    const left = timeoutMs < 0 ? -1 : Math.max(0, Math.ceil(deadline - performance.now()));
    result = native.poll(fds, requests.length, left);
  }
  checked(result, 'poll');
  return requests.map((_, i) => fds.readInt16LE(8 * i + 6));
}

/** What the request returns; `argument` is written to where the request says so. */
export function ioctl(fd: number, request: number, argument: Buffer | number = 0): number {
  const result =
    typeof argument === 'number'
      ? native.ioctlNumber(fd, request, argument)
      : native.ioctlBuffer(fd, request, argument);
  return checked(result, 'ioctl');
}
