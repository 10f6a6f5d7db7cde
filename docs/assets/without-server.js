// The theme asks for the sitemap of each language; a page that was opened as a file may not.
if (location.protocol === "file:") {
  const open = XMLHttpRequest.prototype.open;
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    const empty = "data:text/xml,<urlset/>";
    return open.call(this, method, String(url).endsWith("sitemap.xml") ? empty : url, ...rest);
  };
}
