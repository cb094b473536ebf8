/** The presets that the server knows, from its own description. */
import { useEffect, useState } from "./html.js";

const TEXTS = {
  quick: "The article’s five functions on 4,000 images, three epochs, three seeds: a first look.",
  "kizrak-2019": "The article’s own comparison: five functions, full MNIST, 20 epochs.",
  claims: "What it takes to decide the articles’ claims. Long.",
};

let asked;

async function load() {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) return [];
  const { components } = await answer.json();
  return namesIn(components.schemas.StudySpec.properties.preset).map((name) => ({ name, title: name, text: TEXTS[name] ?? "" }));
}

function namesIn(schema) {
  return [schema, ...(schema.anyOf ?? [])].flatMap((one) => one.enum ?? (one.const ? [one.const] : []));
}

/** @returns {{name: string, title: string, text: string}[]} none until they are known */
export function usePresets() {
  const [presets, setPresets] = useState([]);
  useEffect(() => {
    asked ??= load();
    asked.then(setPresets, () => (asked = undefined));
  }, []);
  return presets;
}
