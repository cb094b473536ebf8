/** The frame around every page: navigation, the length of the queue, and the theme. */
import { html, useEffect, useState } from "../core/html.js";
import { useFeed } from "../data/store.js";
import { count } from "../text/format.js";
import { Account } from "./account.js";
import { StaleNotice } from "./notices.js";
import { Toasts } from "./toast.js";

/** @type {[string, string, RegExp][]} */
const PLACES = [
  ["/studies", "Studies", /^\/(studies.*)?$/],
  ["/experiments", "Experiments", /^\/(experiments|compare)/],
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
    <main id="content" tabindex="-1">${children}</main>
    <${Toasts} />`;
}

function QueueSummary() {
  const { data } = useFeed("/queue", QUEUE_EVERY_MS);
  const isBusy = data && data.running > 0;
  return html`<a class="queue-summary" href="/workers">
    <span class=${`dot ${isBusy ? "on" : ""}`} aria-hidden="true"></span>
    ${data ? `${count(data.running)} running, ${count(data.queued)} queued` : "\u00a0"}
  </a>`;
}

/** @type {Record<Theme, {next: Theme, label: string, picture: any}>} */
const THEMES = {
  system: {
    next: "light",
    label: "Theme: as the system",
    picture: html`<circle cx="10" cy="10" r="7.25" fill="none" stroke="currentColor" stroke-width="1.5" />
      <path d="M10 2.75a7.25 7.25 0 0 1 0 14.5z" fill="currentColor" />`,
  },
  light: {
    next: "dark",
    label: "Theme: light",
    picture: html`<circle cx="10" cy="10" r="3.75" fill="currentColor" />
      <path d="M10 1v3M10 16v3M1 10h3M16 10h3M3.6 3.6l2.1 2.1M14.3 14.3l2.1 2.1M3.6 16.4l2.1-2.1M14.3 5.7l2.1-2.1"
        fill="none" stroke="currentColor" stroke-width="1.5" />`,
  },
  dark: {
    next: "system",
    label: "Theme: dark",
    picture: html`<path d="M16.5 12.5A7.25 7.25 0 0 1 7.5 3.5a7.25 7.25 0 1 0 9 9z" fill="currentColor" />`,
  },
};

/** A button that goes from one of the three themes to the next. */
function ThemeButton() {
  const [theme, setTheme] = useState(window.actlabTheme.chosen());
  useEffect(() => {
    const update = () => setTheme(window.actlabTheme.chosen());
    document.documentElement.addEventListener("themechange", update);
    return () => document.documentElement.removeEventListener("themechange", update);
  }, []);
  const { next, label, picture } = THEMES[theme];
  const title = `${label}. Next: ${next}`;
  return html`<button type="button" class="quiet icon" aria-label=${title} title=${title}
    onClick=${() => window.actlabTheme.choose(next)}>
    <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">${picture}</svg>
  </button>`;
}
