/** The frame around every page: navigation, the length of the queue, and the theme. */
import { html, useEffect, useState } from "../core/html.js";
import { useFeed } from "../data/store.js";
import { count } from "../text/format.js";
import { Account } from "./account.js";
import { StaleNotice } from "./notices.js";

/** @type {[string, string, RegExp][]} */
const PLACES = [
  ["/studies", "Studies", /^\/(studies.*)?$/],
  ["/experiments", "Experiments", /^\/experiments/],
  ["/activations", "Activations", /^\/activations/],
  ["/workers", "Workers", /^\/workers/],
];
const QUEUE_EVERY_MS = 3000;

/** @param {{path: string, children: any}} props */
export function Shell({ path, children }) {
  return html`<a class="skip" href="#content">Skip to the content</a>
    <header class="bar">
      <a class="brand" href="/"><img src="/assets/app/icon.svg" alt="" width="26" height="26" />ActLab</a>
      <nav aria-label="Pages">
        ${PLACES.map(([href, name, pattern]) => {
          const isHere = pattern.test(path);
          return html`<a href=${href} aria-current=${isHere ? "page" : undefined}>${name}</a>`;
        })}
        <a href="/docs">API</a>
        <a href="/guide/">Guide</a>
      </nav>
      <${QueueSummary} />
      <${Account} />
      <${ThemeButton} />
    </header>
    <${StaleNotice} />
    <main id="content" tabindex="-1">${children}</main>`;
}

function QueueSummary() {
  const { data } = useFeed("/queue", QUEUE_EVERY_MS);
  const isBusy = data && data.running > 0;
  return html`<a class="queue-summary" href="/workers">
    <span class=${`dot ${isBusy ? "on" : ""}`} aria-hidden="true"></span>
    ${data ? `${count(data.running)} running, ${count(data.queued)} queued` : "\u00a0"}
  </a>`;
}

function ThemeButton() {
  const [isDark, setDark] = useState(window.actlabTheme.isDark());
  useEffect(() => {
    const update = () => setDark(window.actlabTheme.isDark());
    document.documentElement.addEventListener("themechange", update);
    return () => document.documentElement.removeEventListener("themechange", update);
  }, []);
  const label = isDark ? "Use the light theme" : "Use the dark theme";
  return html`<button type="button" class="quiet icon" aria-label=${label} title=${label}
    onClick=${() => window.actlabTheme.toggle()}>
    <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
      <circle cx="10" cy="10" r="7.25" fill="none" stroke="currentColor" stroke-width="1.5" />
      <path d="M10 2.75a7.25 7.25 0 0 1 0 14.5z" fill="currentColor" />
    </svg>
  </button>`;
}
