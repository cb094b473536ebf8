/** What scripts without imports put into the window. */

type Theme = "system" | "light" | "dark";

interface Window {
  /** theme.js: whether the page is dark, and the reader's choice, which is kept. */
  actlabTheme: { isDark(): boolean; chosen(): Theme; choose(theme: Theme): void };
  /** The vendored katex/katex.min.js, once it is loaded. */
  katex: { render(latex: string, place: HTMLElement, options: object): void };
}

/** Of the vendored redoc/redoc.standalone.js, which /redoc loads. */
declare const Redoc: { init(address: string, options: object, element: HTMLElement | null): void };

/** Of the vendored swagger-ui-dist/swagger-ui-bundle.js, which /docs loads. */
declare function SwaggerUIBundle(options: object): void;
