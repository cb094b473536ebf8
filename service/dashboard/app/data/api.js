/** The public API over HTTP: JSON in, JSON (or a log's text) out, problems as errors. It knows no page. */

import { whole } from "../core/root.js";

const API = whole("/api/v1");
const TIMEOUT_MS = 30_000;
const FRESH_MS = 180_000; // twice the longest ACTLAB_POLL_SECONDS, and the time of a request

let freshUntil = 0;

/** @typedef {{pointer?: string | null, parameter?: string | null, column?: number | null, detail: string}} Problem */

/** An answer that is an error (RFC 9457), or no answer at all (`status` 0). */
export class ApiError extends Error {
  /** @param {number} status @param {{detail?: string, title?: string, code?: string, errors?: Problem[]}} problem */
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? `The API answered ${status}.`);
    this.status = status;
    this.code = problem.code ?? "unknown";
    this.errors = problem.errors ?? [];
  }

  /** True where a later try may succeed: no answer, overload, a fault. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/**
 * Let the reads of the next minutes ask the database: this page knows of a change, its own or that of an event, which
 * another process of the API may not have seen.
 */
export function readFresh() {
  freshUntil = Date.now() + FRESH_MS;
}

/**
 * GET, with the ETag and the text of what the caller has. A newer revision may read the same: a comparison while runs
 * learn.
 * @param {string} path below /api/v1
 * @param {{etag?: string, known?: string, signal?: AbortSignal}} [options]
 * @returns {Promise<{changed: boolean, data?: any, text?: string, etag?: string}>}
 */
export async function get(path, { etag, known, signal } = {}) {
  const headers = {
    ...(etag ? { "If-None-Match": etag } : {}),
    ...(Date.now() < freshUntil ? { "Cache-Control": "no-cache" } : {}),
  };
  const answer = await send(path, { headers, signal });
  if (answer.status === 304) return { changed: false, text: known, etag };
  const isJson = answer.headers.get("content-type")?.includes("json");
  const text = await answer.text();
  const changed = text !== known;
  return {
    changed,
    data: changed && isJson ? JSON.parse(text) : text,
    text,
    etag: answer.headers.get("etag") ?? undefined,
  };
}

/**
 * POST; with `once`, under an Idempotency-Key, so that a repetition after a lost answer creates nothing twice.
 * @param {string} path
 * @param {object} body
 * @param {{once?: string, signal?: AbortSignal, timeout?: number}} [options] `timeout` in ms
 */
export async function post(path, body, { once, signal, timeout } = {}) {
  const headers = { "Content-Type": "application/json", ...(once ? { "Idempotency-Key": once } : {}) };
  const answer = await send(path, { method: "POST", headers, body: JSON.stringify(body ?? {}), signal, timeout });
  return answer.json();
}

/**
 * POST without a body, for actions such as cancel.
 * @param {string} path
 * @param {{once?: string}} [options]
 */
export async function act(path, { once } = {}) {
  const answer = await send(path, { method: "POST", headers: once ? { "Idempotency-Key": once } : {} });
  return answer.json();
}

/**
 * PATCH with a merge patch; with `version`, only where the resource is still at that edit_version.
 * @param {string} path
 * @param {object} body
 * @param {number | undefined} version
 */
export async function patch(path, body, version) {
  const headers = {
    "Content-Type": "application/merge-patch+json",
    ...(version === undefined ? {} : { "If-Match": `"${version}"` }),
  };
  const answer = await send(path, { method: "PATCH", headers, body: JSON.stringify(body) });
  return answer.json();
}

/**
 * DELETE.
 * @param {string} path
 */
export async function del(path) {
  await send(path, { method: "DELETE" });
}

/** @type {Set<() => void>} */
const refusals = new Set();

/**
 * Call back each time the API asks for a key, until the returned function is called.
 * @param {() => void} callback
 */
export function onUnauthorized(callback) {
  refusals.add(callback);
  return () => refusals.delete(callback);
}

/** A key for one intended creation. crypto.randomUUID exists only on secure origins; this works on all. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {string} path
 * @param {RequestInit & {timeout?: number}} of
 */
async function send(path, { signal, timeout = TIMEOUT_MS, ...options }) {
  const limit = AbortSignal.timeout(timeout);
  if (options.method) readFresh();
  let answer;
  try {
    answer = await fetch(API + path, { ...options, signal: signal ? AbortSignal.any([signal, limit]) : limit });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, { detail: "The API does not answer.", code: "unreachable" });
  }
  if (answer.ok || answer.status === 304) return answer;
  if (answer.status === 401 && path !== "/session") refusals.forEach((callback) => callback());
  throw new ApiError(answer.status, await problemOf(answer));
}

/** @param {Response} answer */
async function problemOf(answer) {
  const isJson = (answer.headers.get("content-type") ?? "").includes("json");
  return isJson ? answer.json() : { detail: `The API answered ${answer.status} ${answer.statusText}.` };
}
