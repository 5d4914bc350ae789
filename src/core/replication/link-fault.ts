/**
 * Whose fault an error is. What concerns some links of a stream alone names them in its facts; such links are set aside,
 * and the others go on (CORRECTNESS 5).
 */

import { XcError } from '../errors/xc-error.ts';
import type { LinkId } from '../topology/link.ts';

/** Links that an error names, in `facts.links` or `facts.link`; empty where it is nobody's or everybody's. */
export const linksAtFault = (error: unknown): readonly LinkId[] => {
  if (!(error instanceof XcError)) return [];
  const { link, links } = error.facts;
  if (Array.isArray(links)) return links.filter((one): one is LinkId => typeof one === 'string');
  return typeof link === 'string' ? [link] : [];
};

/** The same error, naming these links as those that it concerns. */
export const blaming = (error: XcError, links: readonly LinkId[]): XcError =>
  new XcError(error.code, {
    ...(error.subject === undefined ? {} : { subject: error.subject }),
    ...(error.why === undefined ? {} : { why: error.why }),
    ...(error.cause === undefined ? {} : { cause: error.cause }),
    next: error.next,
    facts: { ...error.facts, links },
  });

/**
 * Does the work for each link. Where it fails for some, what is thrown is the first error, and it names all links that
 * failed with the same code: they are set aside together.
 */
export const forEachLink = <C extends { readonly link: { readonly id: LinkId } }>(
  carried: Iterable<C>,
  work: (one: C) => void,
): void => {
  let first: XcError | null = null;
  const failed: LinkId[] = [];
  for (const one of carried) {
    try {
      work(one);
    } catch (error) {
      if (!(error instanceof XcError)) throw error;
      first ??= error;
      if (error.code === first.code) failed.push(one.link.id);
    }
  }
  if (first) throw blaming(first, failed);
};
