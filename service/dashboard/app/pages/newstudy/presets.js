/** The presets that the server knows, from its own description. */
import { useEffect, useState } from "../../core/html.js";

/** @type {Record<string, string>} */
const TEXTS = {
  quick: "The article’s five functions on 4,000 images, three epochs, three seeds: a first look.",
  "kizrak-2019": "The article’s own comparison: five functions, full MNIST, 20 epochs.",
  claims: "What it takes to decide the articles’ claims. Long.",
};

/** @param {string} name */
const presetOf = (name) => ({ name, title: name, text: TEXTS[name] ?? "" });

/** @type {Promise<{name: string, title: string, text: string}[]> | undefined} */
let asked;

async function load() {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) return [];
  const { components } = await answer.json();
  return namesIn(components.schemas.StudySpec.properties.preset).map(presetOf);
}

/** @param {any} schema */
function namesIn(schema) {
  return [schema, ...(schema.anyOf ?? [])].flatMap((one) => one.enum ?? (one.const ? [one.const] : []));
}

/** @returns {{name: string, title: string, text: string}[]} until the server's are known, those that have a text here, so that
 *   nothing moves when they are */
export function usePresets() {
  const [presets, setPresets] = useState(() => Object.keys(TEXTS).map(presetOf));
  useEffect(() => {
    asked ??= load();
    asked.then(setPresets, () => (asked = undefined));
  }, []);
  return presets;
}
