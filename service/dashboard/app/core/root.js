/** The path below which the service is reached, such as /actlab behind a proxy; empty at the root of a host. */
export const ROOT = document.documentElement.dataset.root ?? "";

/** The path of the address, below the root. @param {string} [pathname] */
export const below = (pathname = location.pathname) =>
  ROOT && (pathname === ROOT || pathname.startsWith(`${ROOT}/`)) ? pathname.slice(ROOT.length) || "/" : pathname;

/** The whole path of an address of this service. @param {string} address which begins with a slash */
export const whole = (address) => ROOT + address;
