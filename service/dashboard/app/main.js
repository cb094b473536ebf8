/** Renders the shell and the page of the address. */
import { html, render, useEffect, useState } from "./core/html.js";
import { usePath } from "./core/navigation.js";
import { Failure, Loading } from "./components/notices.js";
import { Shell } from "./components/shell.js";
import { match } from "./routes.js";

/** @param {string} pathname */
const isPage = (pathname) => match(pathname) !== null;

function App() {
  const path = usePath(isPage);
  const [page, setPage] = useState(/** @type {{Page: any, params: object, path: string} | null} */ (null));
  useEffect(() => {
    let current = true;
    const route = match(path);
    /** @param {Function} Page */
    const show = (Page) => current && setPage({ Page, params: route?.params ?? {}, path });
    if (!route) show(NotFound);
    else
      route.load().then(
        (module) => show(module.Page),
        (error) => show(() => html`<${Failure} error=${error} />`),
      );
    return () => {
      current = false;
    };
  }, [path]);
  const body = page ? html`<${page.Page} key=${page.path} ...${page.params} />` : html`<${Loading} />`;
  return html`<${Shell} path=${path}>${body}<//>`;
}

function NotFound() {
  useEffect(() => {
    document.title = "Not found – ActLab";
  }, []);
  return html`<h1>There is no such page</h1>
    <p>Start at <a href="/">the studies</a>, or look up <a href="/activations">an activation</a>.</p>`;
}

render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
