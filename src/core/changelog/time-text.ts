/** Times in a change log: ISO 8601 in UTC with microseconds, as the source counts them. */

const MICROS = 1_000n;

export const microsText = (unixMicros: bigint): string => {
  const millis = new Date(Number(unixMicros / MICROS)).toISOString();
  return `${millis.slice(0, -1)}${String(unixMicros % MICROS).padStart(3, '0')}Z`;
};

/** Unix microseconds, or null where the text is no such time. */
export const parseMicros = (text: string): bigint | null => {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})(\d{3})Z$/.exec(text);
  if (!match) return null;
  const millis = Date.parse(`${match[1]}Z`);
  return Number.isNaN(millis) ? null : BigInt(millis) * MICROS + BigInt(match[2]!);
};
