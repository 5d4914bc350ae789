/** What --signer takes; apart from what signs, so that help loads none of it. */

export const SIGNERS = ['built-in', 'cosign'] as const;
