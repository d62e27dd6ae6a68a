/** Unix sockets that carry open files (SCM_RIGHTS) between processes. */
import { SOCK_SEQPACKET } from './constants.js';
import { checked, errno, systemError } from './errno.js';
import { close } from './file.js';
import { addressOf, bind } from './libc.js';

const AF_UNIX = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CTRUNC = 0x08;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;

const native = {
  socketpair: bind('int', 'socketpair', 'int', 'int', 'int', 'void *'),
  sendmsg: bind('int64', 'sendmsg', 'int', 'void *', 'int'),
  recvmsg: bind('int64', 'recvmsg', 'int', 'void *', 'int'),
};

/** Two connected Unix sockets, close-on-exec. */
export function socketpair(type: number = SOCK_SEQPACKET): [number, number] {
  const fds = Buffer.alloc(8);
  checked(native.socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 'socketpair');
  return [fds.readInt32LE(0), fds.readInt32LE(4)];
}

/** Size of `struct cmsghdr`; its data follows at once. */
const controlHeader = 16;
/** The kernel's SCM_MAX_FD. */
const mostFds = 253;

/** The structs of a call. They point to each other, so they live here, where nothing collects them. */
const header = Buffer.alloc(56);
const vector = Buffer.alloc(16);
const control = Buffer.alloc(Math.ceil((controlHeader + 4 * mostFds) / 8) * 8);
const pinned: { data?: Buffer } = {};

/** `struct msghdr` of one piece of data, and as much of `control`. */
function messageHeader(data: Buffer, controlLength: number): Buffer {
  pinned.data = data;
  vector.writeBigUInt64LE(addressOf(data), 0);
  vector.writeUInt32LE(data.length, 8);
  header.fill(0);
  header.writeBigUInt64LE(addressOf(vector), 16);
  header.writeUInt32LE(1, 24);
  if (controlLength > 0) header.writeBigUInt64LE(addressOf(control), 32);
  header.writeUInt32LE(controlLength, 40);
  return header;
}

/** Sends `data`, at least one byte, and copies of `fds`; returns the bytes sent. A closed peer is EPIPE, no signal. */
export function sendFds(socket: number, data: Buffer, fds: readonly number[]): number {
  if (fds.length > mostFds) throw systemError(-errno.EINVAL, 'sendmsg');
  const length = fds.length === 0 ? 0 : controlHeader + 4 * fds.length;
  control.writeUInt32LE(length, 0);
  control.writeUInt32LE(0, 4);
  control.writeInt32LE(SOL_SOCKET, 8);
  control.writeInt32LE(SCM_RIGHTS, 12);
  for (const [i, fd] of fds.entries()) control.writeInt32LE(fd, controlHeader + 4 * i);
  const result = native.sendmsg(socket, messageHeader(data, length), MSG_NOSIGNAL);
  delete pinned.data;
  return checked(result, 'sendmsg');
}

export interface Received {
  /** Empty when the peer has closed its end. */
  readonly data: Buffer;
  /** Close-on-exec, and the caller's to close. */
  readonly fds: number[];
}

/**
 * Waits for a message of at most `size` bytes and the fds that come with it.
 * @throws SystemError EMFILE where this process has no room for all of the fds; it then has none of them
 */
export function recvFds(socket: number, size = 4096): Received {
  const data = Buffer.alloc(size);
  const result = native.recvmsg(socket, messageHeader(data, control.length), MSG_CMSG_CLOEXEC);
  delete pinned.data;
  checked(result, 'recvmsg');
  const fds = decodeFds(control.subarray(0, header.readUInt32LE(40)));
  if ((header.readInt32LE(48) & MSG_CTRUNC) !== 0) {
    fds.forEach(close);
    throw systemError(-errno.EMFILE, 'recvmsg');
  }
  return { data: data.subarray(0, result), fds };
}

/** The fds in the control messages of recvmsg(2). */
function decodeFds(messages: Buffer): number[] {
  const fds: number[] = [];
  for (let offset = 0; offset + controlHeader <= messages.length;) {
    const length = messages.readUInt32LE(offset);
    const rights =
      messages.readInt32LE(offset + 8) === SOL_SOCKET && messages.readInt32LE(offset + 12) === SCM_RIGHTS;
    if (rights) {
      for (let at = offset + controlHeader; at < offset + length; at += 4) fds.push(messages.readInt32LE(at));
    }
    offset += Math.ceil(length / 8) * 8;
  }
  return fds;
}
