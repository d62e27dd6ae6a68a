/** System calls: synchronous, by fd, names as bytes, errors in the shape of Node's. The only folder that loads koffi. */
export * from './constants.js';
export { SystemError, errno, systemError } from './errno.js';
export * from './file.js';
export * from './directory.js';
export * from './statx.js';
export * from './times.js';
export * from './xattr.js';
export * from './copy.js';
export * from './lock.js';
export * from './sync.js';
export * from './mount.js';
export * from './fs-context.js';
export * from './statmount.js';
export * from './process.js';
export * from './socket.js';
