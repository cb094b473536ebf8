SwaggerUIBundle({
  url: `${document.documentElement.dataset.root}/openapi.json`,
  domNode: document.getElementById("swagger"),
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  // The badge would send the address of this server to another host.
  validatorUrl: null,
});
