// Redoc's menu ends with a logo from another host, and no option turns it off. React sets the address both as an
// attribute and as a property; an image that cannot be read makes Redoc leave it out.
const LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg";
/** @param {string} address */
const withoutLogo = (address) => (address === LOGO ? "data:," : address);
const image = HTMLImageElement.prototype;
const { get, set } = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(image, "src"));

image.setAttribute = function (name, value) {
  Element.prototype.setAttribute.call(this, name, withoutLogo(value));
};
Object.defineProperty(image, "src", {
  get,
  set(address) {
    set?.call(this, withoutLogo(address));
  },
});

Redoc.init(`${document.documentElement.dataset.root}/openapi.json`, {}, document.getElementById("redoc"));
