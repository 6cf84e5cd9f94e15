/** How an artifact is given to a browser. */

/** Types that a browser shows without running anything. */
const harmless = /^(text\/plain|image\/(png|jpeg|gif|webp)|application\/(json|pdf|zip|gzip))(;|$)/;

/** Whatever a job says: a page of its making is never shown at this address. */
export const servedType = (contentType: string): string =>
  harmless.test(contentType) ? contentType : "application/octet-stream";

/** Names the file by its last part, for browsers old and new. */
export function disposition(path: string): string {
  const name = path.split("/").at(-1) ?? "artifact";
  const plain = name.replaceAll(/[^A-Za-z0-9._ -]/g, "_");
  const encoded = encodeURIComponent(name).replaceAll(/['()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
