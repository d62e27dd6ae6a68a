/** Names of images, by the rules of Docker (github.com/distribution/reference, OCI distribution-spec). */
import { isDigest, type Digest } from '../digest.js';
import { LayerfsError } from '../errors.js';

/** A name that has been checked: every part of it may become a path component or a part of a URL. */
export class Reference {
  constructor(
    /** `docker.io`, `localhost:5000` */
    readonly registry: string,
    /** `library/debian` */
    readonly repository: string,
    readonly tag: string | undefined,
    readonly digest: Digest | undefined,
    private readonly typed: string,
  ) {}

  /** The one canonical spelling: `docker.io/library/debian:12`, `docker.io/library/debian@sha256:…`. */
  get name(): string {
    const tag = this.tag === undefined ? '' : `:${this.tag}`;
    const digest = this.digest === undefined ? '' : `@${this.digest}`;
    return `${this.registry}/${this.repository}${tag}${digest}`;
  }

  /** As the user typed it. */
  toString(): string {
    return this.typed;
  }
}

const label = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const hostGrammar = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]{1,5})?$`);
const repositoryGrammar =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagGrammar = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** Registry and repository together, as distribution-spec bounds them. */
const nameLimit = 255;

/**
 * A reference as people type it: `debian:12`, `ghcr.io/owner/name@sha256:…`. The registry is docker.io where
 * none is named, the tag `latest` where neither a tag nor a digest is.
 * @throws LayerfsError REFERENCE_INVALID
 */
export function parseReference(text: string): Reference {
  // Docker keeps these for the ids of images.
  if (/^[0-9a-f]{64}$/.test(text)) throw invalid(text, '64 hexadecimal digits are an id, not a name');
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) throw invalid(text, 'what follows @ is not a digest');
  const tagged = at < 0 ? text : text.slice(0, at);
  // A colon before the last slash belongs to the registry's port.
  const colon = tagged.indexOf(':', tagged.lastIndexOf('/') + 1);
  const tag = colon < 0 ? undefined : tagged.slice(colon + 1);
  if (tag !== undefined && !tagGrammar.test(tag)) throw invalid(text, `${JSON.stringify(tag)} is not a tag`);
  const [registry, repository] = splitName(colon < 0 ? tagged : tagged.slice(0, colon));
  const problem = problemOf(registry, repository);
  if (problem !== undefined) throw invalid(text, problem);
  const defaultTag = digest === undefined ? 'latest' : undefined;
  return new Reference(registry, repository, tag ?? defaultTag, digest, text);
}

function problemOf(registry: string, repository: string): string | undefined {
  if (registry.length + 1 + repository.length > nameLimit) return `longer than ${nameLimit} characters`;
  if (!hostGrammar.test(registry)) return `${JSON.stringify(registry)} is not a registry`;
  if (/[A-Z]/.test(repository)) return 'a repository is in lower case';
  if (!repositoryGrammar.test(repository)) return `${JSON.stringify(repository)} is not a repository`;
  return undefined;
}

function splitName(name: string): [registry: string, repository: string] {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isHost = /[.:A-Z]/.test(first) || first === 'localhost';
  const registry = isHost ? first.replace(/^index\.docker\.io$/, 'docker.io') : 'docker.io';
  const repository = isHost ? name.slice(slash + 1) : name;
  const isOfficial = registry === 'docker.io' && !repository.includes('/');
  return [registry, isOfficial ? `library/${repository}` : repository];
}

function invalid(text: string, why: string): LayerfsError {
  return new LayerfsError(
    'REFERENCE_INVALID',
    `not an image reference: ${JSON.stringify(text)}: ${why} (for example debian:12 or ghcr.io/owner/name:tag)`,
    { detail: { reference: text } },
  );
}
