/** The request that a form sends: as Python, as a command and with curl. */
import { whole } from "../core/root.js";
import { html, useState } from "../core/html.js";
import { useFeed } from "../data/store.js";
import { Segments } from "./segments.js";

/** @typedef {"studies" | "experiments"} Resource which a request creates one of */

const SINGULAR = { studies: "study", experiments: "experiment" };
const WIDTH = 100; // of a line of Python that is not broken

/** @type {Record<string, (resource: Resource, body: object, isOpen: boolean) => string>} */
const WRITERS = { python, command, curl };

/** @param {{resource: Resource, body: object, title?: string}} props */
export function AsRequest({ resource, body, title = "The same as a request" }) {
  const [kind, setKind] = useState("python");
  const { data: me } = useFeed("/me");
  const text = WRITERS[kind](resource, body, me?.open ?? true);
  return html`<details class="request">
    <summary>${title}</summary>
    <div class="tools">
      <${Segments} label="Language" value=${kind} onChange=${setKind} choices=${[
        ["python", "Python"],
        ["command", "Command"],
        ["curl", "curl"],
      ]} />
      <${Copy} text=${text} />
    </div>
    <pre tabindex="0">${text}</pre>
  </details>`;
}

/**
 * A button that copies a text. Without a clipboard (plain HTTP) it asks the reader to copy by hand.
 * @param {{text: string | (() => string), label?: string}} props
 */
export function Copy({ text, label = "Copy" }) {
  const [notice, setNotice] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === "string" ? text : text());
      setNotice("Copied");
    } catch {
      setNotice("Mark it and press Ctrl+C");
    }
    setTimeout(() => setNotice(""), 2000);
  };
  return html`<button type="button" class="small" onClick=${copy}>${notice || label}</button>`;
}

const service = () => location.origin + whole("");

/**
 * A program for the package `actlab`, which takes an API key from ACTLAB_API_KEY, as the command does.
 * @param {Resource} resource
 * @param {object} body
 */
function python(resource, body) {
  const name = SINGULAR[resource];
  return `from actlab import Client

with Client(${JSON.stringify(service())}) as client:
    ${name} = client.submit_${name}(${literal(body, 4)})
    print(${name}["id"])`;
}

/**
 * @param {Resource} resource
 * @param {object} body
 */
function command(resource, body) {
  // Between quoted words, a shell takes lines as they are. JSON has a line with this word alone nowhere.
  return `ACTLAB_URL=${service()} actlab ${SINGULAR[resource]} submit - <<'END'\n${JSON.stringify(body, null, 2)}\nEND`;
}

/**
 * @param {Resource} resource
 * @param {object} body
 * @param {boolean} isOpen whether the service asks for no key
 */
function curl(resource, body, isOpen) {
  const quoted = JSON.stringify(body, null, 1).replace(/\n\s*/g, " ").replaceAll("'", "'\\''");
  const key = isOpen ? "" : `-H "Authorization: Bearer $ACTLAB_API_KEY" `;
  return `curl -s ${service()}/api/v1/${resource} \\\n  ${key}-H 'Content-Type: application/json' \\\n  -d '${quoted}'`;
}

/**
 * JSON as a Python literal, in lines of at most WIDTH letters where it can be broken.
 * @param {any} value
 * @param {number} indent of the line on which it begins, in spaces
 * @returns {string}
 */
function literal(value, indent) {
  const line = inLine(value);
  if (typeof value !== "object" || value === null || indent + line.length <= WIDTH) return line;
  const inner = indent + 4;
  const items = Array.isArray(value)
    ? value.map((item) => literal(item, inner))
    : Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${literal(item, inner)}`);
  const lines = items.map((item) => `${" ".repeat(inner)}${item},\n`).join("");
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${lines}${" ".repeat(indent)}${close}`;
}

/**
 * @param {any} value
 * @returns {string}
 */
function inLine(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(inLine).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, inner]) => `${JSON.stringify(name)}: ${inLine(inner)}`)
    .join(", ")}}`;
}
