/**
 * One stream of events for all tabs of a browser, since HTTP/1.1 allows six connections to a host. The tab that holds
 * the lock listens and tells the others. An event names what has changed; a component that shows it asks for its state.
 * docs/live.md has the shapes. Without locks (an address that is not secure) pages poll instead.
 */
import { ROOT, whole } from "../core/root.js";

const ADDRESS = whole("/api/v1/events?compact=true&kind=experiment&kind=study");
const NAME = `actlab.live${ROOT}`;
const FIRST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * @typedef {{kind: "experiment"|"study"|"reset", id?: string, studyId?: string}} Change
 * @typedef {{type: "hello"} | {type: "state", isOpen: boolean} | {type: "change", change: Change}} Message between tabs
 */

let isOpen = false;
const channel =
  "locks" in navigator && "BroadcastChannel" in window && "EventSource" in window ? new BroadcastChannel(NAME) : null;
/** @type {EventSource | null} */
let source = null; // in the tab that listens
/** @type {(message: Message) => void} */
let report = () => {};

/** True while events report changes at once, so that polls may be rare. */
export const isLive = () => isOpen;

/**
 * Start listening, directly or through the tab that does.
 * @param {{onChange: (change: Change) => void, onState: (isOpen: boolean) => void}} to
 */
export function listen({ onChange, onState }) {
  if (!channel) return;
  report = (message) => {
    if (message.type === "change") onChange(message.change);
    if (message.type === "state" && message.isOpen !== isOpen) onState((isOpen = message.isOpen));
    if (message.type === "hello" && source) channel.postMessage({ type: "state", isOpen });
  };
  channel.onmessage = (event) => report(event.data);
  channel.postMessage({ type: "hello" });
  // The lock is held until the tab closes; then another tab takes over.
  navigator.locks.request(NAME, () => new Promise(() => connect(FIRST_PAUSE_MS)));
  addEventListener("pagehide", () => source && tell({ type: "state", isOpen: false }));
}

/** @param {Message} message */
function tell(message) {
  channel?.postMessage(message);
  report(message);
}

/** @param {number} pause */
function connect(pause) {
  const stream = new EventSource(ADDRESS);
  source = stream;
  stream.onopen = () => {
    pause = FIRST_PAUSE_MS;
    tell({ type: "state", isOpen: true });
  };
  stream.onerror = () => {
    tell({ type: "state", isOpen: false });
    // After a broken connection the browser tries again by itself, after a refusal (503) it does not.
    if (stream.readyState === EventSource.CLOSED)
      setTimeout(() => connect(Math.min(LONGEST_PAUSE_MS, 2 * pause)), pause);
  };
  for (const kind of ["experiment", "study", "deleted", "reset"])
    stream.addEventListener(kind, (event) => tell({ type: "change", change: changeOf(kind, JSON.parse(event.data)) }));
}

/**
 * @param {string} kind
 * @param {any} data
 */
function changeOf(kind, data) {
  return { kind: kind === "deleted" ? data.kind : kind, id: data.id, studyId: data.study_id ?? undefined };
}
