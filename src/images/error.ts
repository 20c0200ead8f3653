/** A file that is damaged, or not of a form that can be used; the message says why, and what would help. */
export class ImageError extends Error {
  override name = "ImageError";
}
