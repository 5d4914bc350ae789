/** A URL as it may be shown: without credentials, query and fragment, any of which may be a secret. */

export const shownUrl = (text: string): string => {
  if (!URL.canParse(text)) return '(no URL)';
  const { protocol, host, pathname } = new URL(text);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
};
