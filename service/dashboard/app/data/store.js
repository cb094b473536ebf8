/**
 * Feeds: GETs that are repeated while a component listens. Each has one request at a time, which is conditional;
 * after a failure it is repeated more slowly.
 */
import { useEffect, useRef, useState } from "../core/html.js";
import { get, readFresh } from "./api.js";
import { isLive, listen } from "./live.js";

const SLOWEST_MS = 30_000;
const LIVE_MS = 20_000; // between polls of what events tell of
const REST_MS = 700;
const KEPT = 60; // feeds that no page shows, kept so that going back shows their data at once

/**
 * @typedef {(old: any, answer: any) => any} Merge of an answer to `?since=` into what there was
 *
 * @typedef {object} Snapshot
 * @property {any} data the newest answer, undefined before the first
 * @property {import("./api.js").ApiError|null} error of the newest try
 * @property {number} at when `data` was last known to be current, ms; 0 never
 * @property {number} retryAt when the next try is due after a failure, ms; 0 when it works
 */

/** @type {Map<string, Feed>} */
const feeds = new Map();
/** @type {Set<() => void>} */
const watchers = new Set();

class Feed {
  /**
   * @param {string} path
   * @param {null|((old: any, answer: any) => any)} merge of an answer to `?since=` into what there was
   */
  constructor(path, merge) {
    this.path = path;
    this.merge = merge;
    this.etag = undefined;
    this.text = undefined; // of the newest answer
    this.failures = 0;
    this.busy = false;
    this.due = false; // it was asked for again while a request was under way
    this.timer = 0;
    this.took = 0; // ms that the last request took, and when it ended
    this.ended = 0;
    /** @type {Map<(snapshot: Snapshot) => void, (data: any) => number|null>} */
    this.listeners = new Map();
    /** @type {Snapshot} */
    this.snapshot = { data: undefined, error: null, at: 0, retryAt: 0 };
  }

  /**
   * @param {(snapshot: Snapshot) => void} listener
   * @param {(data: any) => number|null} every
   */
  subscribe(listener, every) {
    this.listeners.set(listener, every);
    this.load();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) clearTimeout(this.timer);
      watchers.forEach((watch) => watch());
    };
  }

  async load() {
    clearTimeout(this.timer);
    if (this.listeners.size === 0 || document.hidden) return;
    if (this.busy) {
      this.due = true;
      return;
    }
    this.busy = true;
    this.due = false;
    const began = Date.now();
    try {
      this.succeed(await get(this.address, { etag: this.etag, known: this.text }));
    } catch (error) {
      this.fail(error);
    }
    this.busy = false;
    this.ended = Date.now();
    this.took = this.ended - began;
    this.plan();
  }

  /**
   * Repeat the request soon: after a pause that grows with the time of the last one, so that a slow request is not
   * repeated all the time.
   */
  renew() {
    if (this.failures > 0) return;
    if (this.busy) this.due = true;
    else this.loadIn(this.ended + this.rest - Date.now());
  }

  /** True where events report changes of this. Queue positions, workers and derived figures change without one. */
  get isTold() {
    return /^\/(studies|experiments)([/?][^/]*)?$/.test(this.path) && this.snapshot.data?.status !== "queued";
  }

  get isRepeated() {
    return [...this.listeners.values()].some((every) => every(this.snapshot.data) !== null);
  }

  get rest() {
    return Math.max(REST_MS, 4 * this.took);
  }

  /** @param {number} ms */
  loadIn(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), Math.max(0, ms));
  }

  /** @param {Awaited<ReturnType<typeof get>>} answer */
  succeed({ changed, data, text, etag }) {
    const recovered = this.snapshot.error !== null;
    this.failures = 0;
    this.snapshot = { data: changed ? this.merged(data) : this.snapshot.data, error: null, at: Date.now(), retryAt: 0 };
    this.etag = etag;
    this.text = text;
    if (changed || recovered) this.tell();
  }

  get address() {
    const { data } = this.snapshot;
    return this.merge && data ? `${this.path}?since=${data.revision}` : this.path;
  }

  /** @param {any} answer */
  merged(answer) {
    return this.merge && this.snapshot.data ? this.merge(this.snapshot.data, answer) : answer;
  }

  /** @param {any} error */
  fail(error) {
    this.failures += error.passing ? 1 : 0;
    this.snapshot = { ...this.snapshot, error };
    this.tell();
  }

  /**
   * Plan the next request: after the shortest interval of the listeners, doubled for each failure; soon where `renew`
   * was called meanwhile.
   */
  plan() {
    if (this.due && this.failures === 0) {
      this.loadIn(this.rest);
      return;
    }
    const intervals = [...this.listeners.values()]
      .map((every) => every(this.snapshot.data))
      .filter((ms) => ms !== null);
    if (this.failures > 0) intervals.push(1000);
    if (intervals.length === 0) return;
    const wait = this.waitOf(Math.min(...intervals));
    if (this.failures > 0) {
      this.snapshot = { ...this.snapshot, retryAt: Date.now() + wait };
      this.tell();
    }
    this.loadIn(wait);
  }

  /**
   * The time until the next request, in ms: longer than a listener's interval after a failure, and where events report
   * changes.
   * @param {number} interval ms
   */
  waitOf(interval) {
    if (this.failures > 0) return Math.min(SLOWEST_MS, interval * 2 ** this.failures);
    if (this.snapshot.error) return SLOWEST_MS;
    return isLive() && this.isTold ? Math.max(interval, LIVE_MS) : interval;
  }

  tell() {
    this.listeners.forEach((_, listener) => listener(this.snapshot));
    watchers.forEach((watch) => watch());
  }
}

/**
 * @param {string} path
 * @param {Merge | null} [merge]
 */
function feed(path, merge = null) {
  const own = feeds.get(path) ?? new Feed(path, merge);
  feeds.set(path, own);
  for (const [other, idle] of feeds) {
    if (feeds.size <= KEPT) break;
    if (idle.listeners.size === 0 && other !== path) feeds.delete(other);
  }
  return own;
}

/**
 * The newest answer of a GET, repeated every so many ms (a number, a function of the data; null: once).
 * @param {string|null} path below /api/v1; null asks nothing
 * @param {number|null|((data: any) => number|null)} every
 * @param {any} version of what it was derived from: when that changes, it is asked for again
 * @param {null|((old: any, answer: any) => any)} merge for a path that knows `since`: only what changed is asked for
 * @returns {Snapshot}
 */
export function useFeed(path, every = null, version = undefined, merge = null) {
  const [snapshot, setSnapshot] = useState(() => (path ? feed(path, merge).snapshot : EMPTY));
  useEffect(() => {
    if (!path) {
      setSnapshot(EMPTY);
      return undefined;
    }
    setSnapshot(feed(path, merge).snapshot);
    const intervalOf = typeof every === "function" ? every : () => every;
    return feed(path, merge).subscribe(setSnapshot, intervalOf);
  }, [path]);
  const seen = useRef(version);
  useEffect(() => {
    if (path && seen.current !== undefined && seen.current !== version) feed(path).renew();
    seen.current = version;
  }, [path, version]);
  return snapshot;
}

/**
 * A feed that keeps the data of the path before until the first answer of the new one, so that a list does not vanish
 * while it is filtered; `isOld` then.
 * @param {Snapshot} feed
 * @returns {Snapshot & {isOld: boolean}}
 */
export function useKept(feed) {
  const kept = useRef(/** @type {any} */ (undefined));
  if (feed.data !== undefined) kept.current = feed.data;
  else if (feed.error && !feed.error.passing) kept.current = undefined;
  const isOld = feed.data === undefined && kept.current !== undefined;
  return isOld ? { ...feed, data: kept.current, isOld } : { ...feed, isOld };
}

const EMPTY = { data: undefined, error: null, at: 0, retryAt: 0 };

/**
 * Repeat the request of every feed whose path starts with a prefix, at once.
 * @param {string} [prefix]
 */
export function refresh(prefix = "") {
  for (const [path, one] of feeds) if (path.startsWith(prefix)) one.load();
}

/** The state of all feeds that have listeners: null when current, else their age and the time of the next try. */
export function useStaleness() {
  const [stale, setStale] = useState(/** @type {ReturnType<typeof staleness>} */ (null));
  useEffect(() => {
    const watch = () => setStale(staleness());
    watchers.add(watch);
    return () => watchers.delete(watch);
  }, []);
  return stale;
}

function staleness() {
  const failing = [...feeds.values()].filter((one) => one.listeners.size > 0 && one.snapshot.error?.passing);
  if (failing.length === 0) return null;
  const seen = failing.map((one) => one.snapshot.at).filter((at) => at > 0);
  return {
    at: seen.length ? Math.min(...seen) : 0,
    retryAt: Math.min(...failing.map((one) => one.snapshot.retryAt || Date.now())),
    message: failing[0].snapshot.error?.message,
  };
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh();
});

listen({ onChange, onState: () => refresh() });

/**
 * Renew the feeds that an event is about, and the lists that may hold it; feeds that depend on a revision follow.
 * @param {import("./live.js").Change} of
 */
function onChange({ kind, id, studyId }) {
  readFresh();
  if (kind === "reset") refresh();
  const own = new Set([`/${kind === "study" ? "studies" : "experiments"}/${id}`, `/studies/${studyId}`]);
  /** @param {string} path */
  const isMeant = (path) =>
    own.has(path) || path.startsWith("/studies?") || (kind === "experiment" && path.startsWith("/experiments?"));
  for (const [path, one] of feeds) if (one.listeners.size > 0 && isMeant(path) && one.isRepeated) one.renew();
}
