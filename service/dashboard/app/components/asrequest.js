/** The request that a form sends, as a command and as Python. */
import { whole } from "../core/root.js";
import { html, useState } from "../core/html.js";

/** @param {{path: string, body: object, title?: string}} props `path` below /api/v1 */
export function AsRequest({ path, body, title = "The same as a request" }) {
  const [kind, setKind] = useState("curl");
  const text = kind === "curl" ? curl(path, body) : python(path, body);
  return html`<details class="request">
    <summary>${title}</summary>
    <div class="tools">
      <div class="seg" role="group" aria-label="Language">${["curl", "Python"].map(
        (name) =>
          html`<button type="button" aria-pressed=${kind === name} onClick=${() => setKind(name)}>${name}</button>`,
      )}</div>
      <${Copy} text=${text} />
    </div>
    <pre tabindex="0">${text}</pre>
  </details>`;
}

/**
 * A button that copies a text. Without a clipboard (plain HTTP) it asks the reader to copy by hand.
 * @param {{text: string, label?: string}} props
 */
export function Copy({ text, label = "Copy" }) {
  const [notice, setNotice] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setNotice("Copied");
    } catch {
      setNotice("Mark it and press Ctrl+C");
    }
    setTimeout(() => setNotice(""), 2000);
  };
  return html`<button type="button" class="small" onClick=${copy}>${notice || label}</button>`;
}

/** @param {string} path */
const address = (path) => `${location.origin}${whole("/api/v1")}${path}`;

/**
 * @param {string} path
 * @param {object} body
 */
function curl(path, body) {
  const quoted = JSON.stringify(body, null, 1).replace(/\n\s*/g, " ").replaceAll("'", "'\\''");
  return `curl -s ${address(path)} \\\n  -H 'Content-Type: application/json' \\\n  -d '${quoted}'`;
}

/**
 * @param {string} path
 * @param {object} body
 */
function python(path, body) {
  return `import httpx

answer = httpx.post(
    "${address(path)}",
    json=${literal(body)},
)
print(answer.json()["id"])`;
}

/**
 * JSON as a Python literal.
 * @param {any} value
 * @returns {string}
 */
function literal(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, inner]) => `${JSON.stringify(name)}: ${literal(inner)}`)
    .join(", ")}}`;
}
