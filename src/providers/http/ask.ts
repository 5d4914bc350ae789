/**
 * One HTTP request of a health check: bounded in time, without redirects and without reading the body. It never rejects;
 * that nobody answered, and why, is what was asked for.
 */

import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { HttpAnswer, HttpAsk, HttpRequest } from '../../core/validation/observed-service.ts';

/** @param signal ends the request at the check's deadline */
export const httpAsk =
  (signal: AbortSignal): HttpAsk =>
  (request) =>
    ask(request, signal);

const ask = ({ url, method, headers }: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> => {
  const target = parse(url);
  if (!target) return Promise.resolve({ kind: 'none', why: 'the address is no http:// or https:// URL' });
  return new Promise((resolve) => {
    const start = target.protocol === 'https:' ? requestHttps : requestHttp;
    const request = start(target, { method, headers: { ...headers }, agent: false, signal }, (response) => {
      const names = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
      resolve({ kind: 'answer', status: response.statusCode ?? 0, headers: Object.fromEntries(names) });
      response.on('error', () => {});
      response.destroy();
    });
    request.on('error', (error: Error & { code?: string }) =>
      resolve({ kind: 'none', why: whyOf(error, signal) }),
    );
    request.end();
  });
};

const parse = (text: string): URL | null => {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url && (url.protocol === 'http:' || url.protocol === 'https:') ? url : null;
};

const whyOf = (error: Error & { code?: string; errors?: readonly Error[] }, signal: AbortSignal): string => {
  if (signal.aborted) return 'no answer within the time allowed';
  const text = error.message === '' ? (error.errors?.[0]?.message ?? 'no connection') : error.message;
  return error.code === undefined || text.includes(error.code) ? text : `${text} (${error.code})`;
};
