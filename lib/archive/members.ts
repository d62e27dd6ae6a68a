/** Names inside an outer archive, and the links among them. */
import { posix } from 'node:path';
import { limits } from '../limits.js';

/** Where a member's bytes lie in the archive, so that they are read from it without unpacking. */
export interface ArchiveMember {
  readonly offset: number;
  readonly size: number;
}

/**
 * The members of an archive by clean name: the last member of a name counts, as it would after unpacking, and links
 * answer with the file they lead to. Nothing outside the archive is ever reached: a link that leads nowhere, or
 * only to other links, is a name that is not there.
 */
export class ArchiveMembers {
  readonly #files = new Map<string, ArchiveMember>();
  readonly #links = new Map<string, string>();

  addFile(name: string, member: ArchiveMember): void {
    const clean = cleanName(name);
    this.#links.delete(clean);
    this.#files.set(clean, member);
  }

  /** A hard link names another member from the archive's root. */
  addHardlink(name: string, target: string): void {
    this.#addLink(cleanName(name), cleanName(target));
  }

  /** A symbolic link names another member from its own directory (the layers of old `docker save` are such links). */
  addSymlink(name: string, target: string): void {
    const clean = cleanName(name);
    this.#addLink(clean, cleanName(posix.join(posix.dirname(clean), target)));
  }

  get(name: string): ArchiveMember | undefined {
    let clean = cleanName(name);
    for (let followed = 0; followed <= limits.symlinksFollowed; followed++) {
      const target = this.#links.get(clean);
      if (target === undefined) return this.#files.get(clean);
      clean = target;
    }
    return undefined;
  }

  /** How many names there are, links included. */
  get size(): number {
    return this.#files.size + this.#links.size;
  }

  #addLink(name: string, target: string): void {
    this.#files.delete(name);
    this.#links.set(name, target);
  }
}

/** `./a//b` and `/a/b` are `a/b`; `..` never climbs above the archive. */
function cleanName(name: string): string {
  return posix.normalize(`/${name}`).slice(1);
}
