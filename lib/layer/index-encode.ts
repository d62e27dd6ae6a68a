/** A tree in memory → the bytes of a layer index. */
import { display, type Bytes } from '../bytes.js';
import { LayerfsError } from '../errors.js';
import { hash64, xxhash } from '../hash.js';
import { limits } from '../limits.js';
import type { Meta } from './entry.js';
import { ExtentHeap } from './index-extents.js';
import {
  alignment,
  checkIndexSize,
  checksumSize,
  headerFlags,
  headerWord,
  magic,
  recordFlags,
  recordWord,
  recordWords,
  sectionNames,
  sectionWords,
  setInteger,
  typeBits,
  typeShift,
  version,
  type SectionName,
} from './index-format.js';
import { LinkHeap } from './index-links.js';
import { breadthFirst, inodeGroups, type NumberedNode } from './index-order.js';
import { StringHeap } from './index-strings.js';
import { XattrHeap } from './index-xattrs.js';
import type { DirectoryNode, FileNode, HardlinkNode, InodeNode } from './node.js';

export interface IndexInfo {
  /** Length of the uncompressed tar in bytes; -1 for a layer that has none. */
  readonly tarSize: number;
}

/**
 * The index of a layer, as docs/format-index.md specifies it. It depends on nothing but the tree: equal trees give
 * equal bytes, whatever order they were built in. An inode that is in the tree only as the target of hardlinks is
 * described by the first of them.
 * @throws LayerfsError LIMIT_EXCEEDED, ENTRY_INVALID
 */
export async function encodeIndex(root: DirectoryNode, info: IndexInfo): Promise<Buffer> {
  const api = await xxhash();
  const buffer = new Encoder(root).encode(info);
  const end = buffer.length - checksumSize;
  buffer.writeBigUInt64LE(hash64(api, buffer.subarray(0, end)), end);
  return buffer;
}

class Encoder {
  readonly #numbered: readonly NumberedNode[];
  /** By inode: the record that describes it, and its word in the section `links`. */
  readonly #groups = new Map<InodeNode, { holder: number; links: number }>();
  readonly #names = new StringHeap();
  readonly #targets = new StringHeap();
  readonly #xattrs = new XattrHeap();
  readonly #links = new LinkHeap();
  readonly #extents = new ExtentHeap();
  readonly #words: Uint32Array;
  readonly #hashes: BigUint64Array;
  #nextChild = 1;
  #flags = 0;

  constructor(root: DirectoryNode) {
    this.#numbered = breadthFirst(root);
    for (const [inode, { holder, others }] of inodeGroups(this.#numbered)) {
      const links = others.length === 0 ? 0 : this.#links.add([holder, ...others]);
      this.#groups.set(inode, { holder, links });
    }
    const size = this.#numbered.length * recordWords * 4;
    checkIndexSize(size);
    this.#words = new Uint32Array(size / 4);
    this.#hashes = new BigUint64Array(this.#words.buffer);
  }

  encode(info: IndexInfo): Buffer {
    this.#numbered.forEach((entry, record) => this.#writeRecord(entry, record));
    const header = { recordCount: this.#numbered.length, flags: this.#flags, tarSize: info.tarSize };
    return assemble(header, {
      records: Buffer.from(this.#words.buffer),
      names: this.#names.toBuffer(),
      targets: this.#targets.toBuffer(),
      xattrs: this.#xattrs.toBuffer(),
      links: this.#links.toBuffer(),
      sparse: this.#extents.tableToBuffer(),
      extents: this.#extents.extentsToBuffer(),
    });
  }

  #writeRecord({ node, parent, covered }: NumberedNode, record: number): void {
    const at = record * recordWords;
    this.#words[at + recordWord.parent] = parent;
    this.#writeName(at, node.name);
    switch (node.kind) {
      case 'whiteout':
        this.#writePacked(at, typeBits.whiteout, 0, 0);
        break;
      case 'directory':
        this.#writeDirectory(at, node, covered);
        break;
      case 'hardlink':
        this.#writeHardlink(at, record, node);
        break;
      default:
        this.#writeInode(at, record, node);
    }
  }

  #writeName(at: number, name: Bytes): void {
    if (name.length > limits.nameLength) {
      throw new LayerfsError(
        'LIMIT_EXCEEDED',
        `a name is longer than ${limits.nameLength} bytes: ${display(name)}`,
        { detail: { name, limit: limits.nameLength } },
      );
    }
    this.#words[at + recordWord.nameOffset] = this.#names.add(name);
    this.#words[at + recordWord.packed] = name.length;
  }

  #writePacked(at: number, type: number, permissions: number, flags: number): void {
    const nameLength = this.#words[at + recordWord.packed] ?? 0;
    this.#words[at + recordWord.packed] =
      nameLength | flags | ((permissions & 0o7777) << 16) | (type << typeShift);
  }

  #writeMeta(at: number, name: Bytes, { uid, gid, mtime, xattrs }: Meta): void {
    this.#words[at + recordWord.uid] = uid;
    this.#words[at + recordWord.gid] = gid;
    this.#words[at + recordWord.xattrs] = this.#xattrs.add(xattrs);
    const nanoseconds = Number(((mtime % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n);
    const seconds = Number((mtime - BigInt(nanoseconds)) / 1_000_000_000n);
    if (!Number.isSafeInteger(seconds)) {
      throw new LayerfsError('ENTRY_INVALID', `${display(name)}: no file system has a time of ${mtime} ns`);
    }
    setInteger(this.#words, at + recordWord.mtimeSec, seconds);
    this.#words[at + recordWord.mtimeNsec] = nanoseconds;
  }

  #writeDirectory(at: number, node: DirectoryNode, covered: boolean): void {
    if (node.implied && !covered) {
      this.#flags |= node.parent === null ? headerFlags.rootImplied : headerFlags.impliedDirectories;
    }
    const flags = (node.opaque ? recordFlags.opaque : 0) | (node.implied ? recordFlags.implied : 0);
    this.#writePacked(at, typeBits.directory, node.meta.mode, flags);
    this.#writeMeta(at, node.name, node.meta);
    this.#words[at + recordWord.firstChild] = this.#nextChild;
    this.#words[at + recordWord.childCount] = node.children.size;
    this.#nextChild += node.children.size;
  }

  #writeHardlink(at: number, record: number, { to }: HardlinkNode): void {
    if (typeof to === 'string') {
      this.#flags |= headerFlags.lowerHardlinks;
      this.#writePacked(at, typeBits.hardlink, 0, recordFlags.lowerHardlink);
      this.#writeTarget(at, to);
      return;
    }
    const group = this.#groups.get(to);
    if (group === undefined || group.holder === record) {
      this.#writeInode(at, record, to);
      return;
    }
    this.#writePacked(at, typeBits.hardlink, 0, 0);
    this.#words[at + recordWord.inode] = group.holder;
    this.#words[at + recordWord.links] = group.links;
  }

  #writeInode(at: number, record: number, node: InodeNode): void {
    const sparse = node.kind === 'file' && node.extents !== null;
    this.#writePacked(at, typeBits[node.kind], node.meta.mode, sparse ? recordFlags.sparse : 0);
    this.#writeMeta(at, node.name, node.meta);
    if (this.#groups.size > 0) this.#words[at + recordWord.links] = this.#groups.get(node)?.links ?? 0;
    switch (node.kind) {
      case 'file':
        this.#writeFile(at, record, node);
        break;
      case 'symlink':
        this.#writeTarget(at, node.target);
        break;
      case 'char':
      case 'block':
        this.#words[at + recordWord.major] = node.major;
        this.#words[at + recordWord.minor] = node.minor;
        break;
      case 'fifo':
        break;
    }
  }

  #writeFile(at: number, record: number, { size, dataOffset, contentHash, extents }: FileNode): void {
    setInteger(this.#words, at + recordWord.fileSize, size);
    setInteger(this.#words, at + recordWord.dataOffset, dataOffset);
    this.#hashes[(at + recordWord.contentHash) / 2] = contentHash;
    if (extents !== null) this.#extents.add(record, extents);
  }

  #writeTarget(at: number, target: Bytes): void {
    this.#words[at + recordWord.targetOffset] = this.#targets.add(target);
    this.#words[at + recordWord.targetLength] = target.length;
  }
}

/** The whole file but for its checksum. */
function assemble(
  header: { recordCount: number; flags: number; tarSize: number },
  sections: Readonly<Record<SectionName, Buffer>>,
): Buffer {
  const align = (size: number): number => Math.ceil(size / alignment) * alignment;
  const start = align((headerWord.sections + sectionNames.length * sectionWords) * 4);
  const size = sectionNames.reduce((end, name) => end + align(sections[name].length), start) + checksumSize;
  checkIndexSize(size);
  const words = new Uint32Array(size / 4);
  const buffer = Buffer.from(words.buffer);
  buffer.write(magic, headerWord.magic * 4, 'latin1');
  words[headerWord.version] = version;
  words[headerWord.flags] = header.flags;
  setInteger(words, headerWord.fileSize, size);
  setInteger(words, headerWord.tarSize, header.tarSize);
  words[headerWord.recordCount] = header.recordCount;
  words[headerWord.sectionCount] = sectionNames.length;
  let offset = start;
  sectionNames.forEach((name, i) => {
    words[headerWord.sections + i * sectionWords] = offset;
    words[headerWord.sections + i * sectionWords + 1] = sections[name].length;
    sections[name].copy(buffer, offset);
    offset += align(sections[name].length);
  });
  return buffer;
}
