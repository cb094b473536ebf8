/** The page of a new study: a form that the server checks and times while it is filled in. */
import { onText } from "../../core/events.js";
import { html, useEffect, useMemo, useRef, useState } from "../../core/html.js";
import { navigate, useTitle } from "../../core/navigation.js";
import { newKey, post } from "../../data/api.js";
import { counted } from "../../text/format.js";
import { factorName } from "../../text/labels.js";
import { seedsOf } from "../../text/lists.js";
import { Field } from "../../components/field.js";
import { ActivationPicker } from "./activationpicker.js";
import { PlanPanel, usePlan } from "./plan.js";
import { PresetPicker } from "./presetpicker.js";
import {
  bodyOf,
  CHOICES,
  DATASETS,
  formOf,
  isAbout,
  LISTS,
  MORE_LISTS,
  referencesOf,
  startedFrom,
  suggestedName,
} from "./studyform.js";
import { TuningFields } from "./tuningfields.js";

/**
 * @typedef {import("./studyform.js").Form} Form
 * @typedef {(changes: Partial<Form>) => void} Change
 * @typedef {(...paths: string[]) => Api.ProblemItem[]} About the errors of the fields at spec paths
 */

export function Page() {
  useTitle("New study");
  const [form, setForm] = useState(() => formOf(new URLSearchParams(location.search)));
  const body = useMemo(() => bodyOf(form), [form]);
  const { plan, error, isAsking } = usePlan(body);
  const [refusal, setRefusal] = useState(/** @type {any} */ (null));
  const [isSending, setSending] = useState(false);
  useEffect(() => setRefusal(null), [body]);
  const key = useRef({ text: "", key: "" });
  /** @type {Api.ProblemItem[]} */
  const problems = (refusal ?? error)?.errors ?? [];
  /** @param {...string} paths */
  const about = (...paths) => problems.filter((problem) => paths.some((path) => isAbout(problem, path)));
  /** @param {Partial<Form>} changes */
  const change = (changes) => setForm({ ...form, ...changes });

  /** @param {any} event */
  const submit = async (event) => {
    event.preventDefault();
    setSending(true);
    const text = JSON.stringify(body);
    if (key.current.text !== text) key.current = { text, key: newKey() };
    try {
      const study = await post("/studies", body, { once: key.current.key });
      navigate(`/studies/${study.id}`);
    } catch (failure) {
      setRefusal(failure);
      setSending(false);
    }
  };

  return html`<p class="crumb"><a href="/studies">Studies</a></p>
    <div class="page-head"><div><h1>New study</h1>
      <p>Every combination of what you choose is trained once per seed. Where you give several values, they are
        compared.</p></div></div>
    <form class="new-study" onSubmit=${submit} noValidate>
      <div class="stack">
        <${PresetPicker} value=${form.preset}
          onChange=${(/** @type {string} */ preset) => change(startedFrom(preset))} />
        ${!form.preset && html`<${Which} form=${form} change=${change} about=${about} />`}
        <${Training} form=${form} change=${change} about=${about} />
        <${Repeats} form=${form} change=${change} errors=${about("seeds")} />
        <${TuningFields} tuning=${form.tuning}
          change=${(/** @type {any} */ changes) => change({ tuning: { ...form.tuning, ...changes } })} about=${about} />
        <${More} form=${form} change=${change} about=${about} />
        <${Naming} form=${form} change=${change} about=${about} />
      </div>
      <${PlanPanel} plan=${plan} body=${body} error=${refusal ?? error} isAsking=${isAsking} isSending=${isSending} />
    </form>`;
}

/** @param {{form: Form, change: Change, about: About}} props */
function Which({ form, change, about }) {
  const choose = (/** @type {string[]} */ activations, /** @type {FormulaChoice[]} */ formulas) =>
    change({ activations, formulas });
  return html`<section class="card stack">
      <h2>Activation functions</h2>
      <${ActivationPicker} chosen=${form.activations} formulas=${form.formulas} errors=${about("activation")}
        onChange=${choose} />
      ${
        form.activations.length + form.formulas.length > 1 &&
        html`<${Family} form=${form} change=${change} about=${about} />`
      }
    </section>`;
}

/** @param {{form: Form, change: Change, about: About}} props */
function Family({ form, change, about }) {
  const references = referencesOf(form);
  const hint = references.length
    ? "tests against one function are fewer, and find smaller differences"
    : "several factors: all pairs are compared";
  const choices = [["", "all pairs"], ...references.map((name) => [name, `each with ${name}`])];
  return html`<${Field} label="Compare" errors=${about("reference")} hint=${hint}>${(
    /** @type {object} */ attributes,
  ) => html`<select ...${attributes} onChange=${onText((text) => change({ reference: text }))}>
    ${choices.map(
      ([name, text]) => html`<option value=${name} selected=${name === form.reference}>${text}</option>`,
    )}</select>`}<//>`;
}

/** @param {{form: Form, change: Change, about: About}} props */
function Training({ form, change, about }) {
  const own = form.preset ? [["", "the preset’s own"]] : [];
  return html`<section class="card stack">
      <h2>Data and training</h2>
      <${Field} label="Data set" errors=${about("dataset")}>${(
        /** @type {object} */ attributes,
      ) => html`<select ...${attributes} value=${form.dataset}
        onChange=${onText((text) => change({ dataset: text }))}>
        ${[...own, ...DATASETS].map(
          ([name, text]) => html`<option value=${name} selected=${name === form.dataset}>
          ${text}</option>`,
        )}</select>`}<//>
      <div class="fields">${LISTS.map(
        (list) => html`<${ListField} key=${list[0]} list=${list} form=${form}
        change=${change} about=${about} />`,
      )}</div>
    </section>`;
}

/** @param {{list: import("./studyform.js").ListRow, form: Form, change: Change, about: About}} props */
function ListField({ list: [path, label, hint, example], form, change, about }) {
  return html`<${Field} label=${label} errors=${about(path)}
    hint=${`empty: ${form.preset ? "the preset’s own" : hint}`}>
    ${(
      /** @type {object} */ attributes,
    ) => html`<input ...${attributes} value=${form.lists[path] ?? ""} placeholder=${form.preset ? "" : example}
      autocomplete="off"
      onInput=${onText((text) => change({ lists: { ...form.lists, [path]: text } }))} />`}<//>`;
}

const SEED_CHOICES = [1, 3, 5, 10];

/** @param {{form: Form, change: Change, errors: Api.ProblemItem[]}} props */
function Repeats({ form, change, errors }) {
  const seeds = seedsOf(form.seeds);
  const hint =
    form.preset && !form.seeds.trim()
      ? "empty: the preset’s own seeds"
      : seeds.length < 3
        ? `${counted(seeds.length, "seed")}: too few for a test; 3 are the least`
        : `each combination is trained ${seeds.length} times, once per seed`;
  return html`<section class="card stack">
    <h2>Seeds</h2>
    <div class="seeds">
      <div class="field"><span class="label" id="how-many">How many</span>
        <div class="seg" role="group" aria-labelledby="how-many">${SEED_CHOICES.map((number) => {
          const text = number === 1 ? "0" : `0-${number - 1}`;
          return html`<button type="button" aria-pressed=${form.seeds === text}
            onClick=${() => change({ seeds: text })}>${number}</button>`;
        })}</div></div>
      <${Field} label="Which" errors=${errors} hint=${hint}>${(
        /** @type {object} */ attributes,
      ) => html`<input ...${attributes} value=${form.seeds}
        autocomplete="off" placeholder="0-4" onInput=${onText((text) => change({ seeds: text }))} />`}<//>
    </div>
  </section>`;
}

/** @param {{form: Form, change: Change, about: About}} props */
function More({ form, change, about }) {
  const paths = [...MORE_LISTS, ...CHOICES].map(([path]) => path);
  const isSet = paths.some((path) => form.lists[path] || form.choices[path] !== undefined);
  return html`<details class="card" open=${isSet || about(...paths).length > 0}>
    <summary><h2>More of the network and the training</h2> <span
      class="muted small-text">learning rates, depth, optimizer, …</span></summary>
    <div class="fields">
      ${MORE_LISTS.map(
        (list) => html`<${ListField} key=${list[0]} list=${list} form=${form} change=${change}
        about=${about} />`,
      )}
      ${CHOICES.map(
        (choice) => html`<${ChoiceField} key=${choice[0]} choice=${choice} form=${form} change=${change}
        about=${about} />`,
      )}
    </div>
  </details>`;
}

/** @param {any} value */
const worded = (value) => (value === true ? "on" : value === false ? "off" : factorName(value));

/** @param {{choice: import("./studyform.js").ChoiceRow, form: Form, change: Change, about: About}} props */
function ChoiceField({ choice: [path, label, values], form, change, about }) {
  const chosen = form.choices[path] ?? values[0];
  /** @param {any} event */
  const pick = (event) => {
    const { [path]: _, ...others } = form.choices;
    const value = values[event.target.selectedIndex];
    change({ choices: value === values[0] ? others : { ...others, [path]: value } });
  };
  return html`<${Field} label=${label} errors=${about(path)}>${(
    /** @type {object} */ attributes,
  ) => html`<select ...${attributes} onChange=${pick}>
    ${values.map(
      (value, index) => html`<option selected=${value === chosen}>
      ${worded(value)}${index === 0 && " (default)"}</option>`,
    )}
  </select>`}<//>`;
}

/** @param {{form: Form, change: Change, about: About}} props */
function Naming({ form, change, about }) {
  const input =
    (/** @type {"name" | "question"} */ field, /** @type {string} */ placeholder) =>
    (/** @type {object} */ attributes) => html`<input ...${attributes} value=${form[field]} placeholder=${placeholder}
    autocomplete="off" onInput=${onText((text) => change({ [field]: text }))} />`;
  return html`<section class="card stack">
    <h2>Name</h2>
    <div class="fields">
      <${Field} label="Name" errors=${about("name")} hint="so that you find it again">
        ${input("name", form.preset || suggestedName(form))}<//>
      <${Field} label="Question" errors=${about("question")} hint="what you want to know">
        ${input("question", "Which learns best?")}<//>
    </div>
  </section>`;
}
