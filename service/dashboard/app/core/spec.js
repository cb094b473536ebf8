/** The usual values and choices of a spec's fields, from the OpenAPI document; the server writes them to the shell. */

/** @type {{usual: Record<string, any>, choices: Record<string, any[]>}} */
const { usual = {}, choices = {} } = JSON.parse(document.getElementById("spec")?.textContent ?? "{}");

/**
 * The value at a path such as `optimizer.name`.
 * @param {Record<string, any>} spec
 * @param {string} path
 * @returns {any}
 */
export const at = (spec, path) => path.split(".").reduce((inner, name) => inner?.[name], spec);

/**
 * The default of a field, which is what the main article did; undefined where it has none.
 * @param {string} path
 */
export const usualOf = (path) => at(usual, path);

/**
 * The values of a field that has a fixed set, of `preset` or of `status`.
 * @param {string} path
 */
export const choicesOf = (path) => choices[path] ?? [];
