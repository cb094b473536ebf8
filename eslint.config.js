/** Rules for the pages' modules; prettier checks their format and tsc their types. */
import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["**/vendor/", "**/guide_site/", "node_modules/", ".venv*/"] },
  js.configs.recommended,
  {
    files: ["service/dashboard/**/*.js"],
    languageOptions: { ecmaVersion: "latest", sourceType: "module", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "no-unused-vars": ["error", { varsIgnorePattern: "^_" }],
      eqeqeq: "error",
      "prefer-const": "error",
    },
  },
  {
    files: ["service/dashboard/app/theme.js", "service/dashboard/docs/*.js"],
    languageOptions: { sourceType: "script" },
  },
  {
    files: ["service/dashboard/docs/*.js"],
    languageOptions: { globals: { Redoc: "readonly", SwaggerUIBundle: "readonly" } },
  },
];
