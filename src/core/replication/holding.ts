/** Who holds a stream, as somebody sees it who would like to. */

export type Holding =
  | { readonly state: 'free' }
  | { readonly state: 'held'; readonly by: string }
  /** It has the lock, and nothing was heard from it for longer than was waited for. */
  | { readonly state: 'silent'; readonly by: string; readonly silentMs: number };
