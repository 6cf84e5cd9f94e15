/** The page as HTML. */
export function page({ environment, releases, products, orders }) {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Canal supplies</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color: #123 }
  table { border-collapse: collapse; width: 100% } td { padding: .4rem 0; border-top: 1px solid #cde }
  td:nth-child(2) { text-align: right; padding-right: 1rem } s { color: #789 } em { color: #b30; font-style: normal }
  footer { margin-top: 2rem; color: #567; font-size: 14px } code { background: #eef4f8; padding: 0 .3rem }
</style>
<h1>Canal supplies</h1>
<table>${products.map(productRow).join("")}</table>
<h2>Latest orders</h2>
<ul>${orders.map(orderItem).join("") || "<li>None yet.</li>"}</ul>
<footer>${escape(environment)}: ${releases.map(releaseText).join(" · ")}</footer>
</html>
`;
}

function productRow({ sku, name, price }) {
  const before = price.discount ? `<s>${money(price.before)}</s> <em>−${escape(price.discount)} %</em> ` : "";
  return `<tr><td>${escape(name)}<td>${before}${money(price.gross)}<td><form method="post" action="/orders">
<button name="sku" value="${escape(sku)}">Order</button></form>`;
}

function orderItem({ quantity, sku, total }) {
  return `<li>${escape(quantity)} × ${escape(sku)}, ${money(total)}</li>`;
}

function releaseText({ service, release, commit }) {
  return `${escape(service)} <code>#${escape(release)}</code> <code>${escape(String(commit).slice(0, 7))}</code>`;
}

function money(cents) {
  return `€ ${(cents / 100).toFixed(2)}`;
}

const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text that cannot become markup. */
export function escape(value) {
  return String(value).replace(/[&<>"']/g, (character) => entities[character]);
}
