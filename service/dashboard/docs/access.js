// The description of the API needs a key as the API does: without one, the pages ask for it and come back.
(() => {
  const root = document.documentElement.dataset.root ?? "";
  fetch(`${root}/openapi.json`, { method: "HEAD" }).then((answer) => {
    if (answer.status === 401) location.assign(`${root}/?next=${location.pathname.slice(root.length)}`);
  });
})();
